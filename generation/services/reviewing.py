"""Who sees to a product's text, and whether it may go out: draft, in review, approved.

Who may do which is in accounts.permissions: whoever writes sends to review and takes back, `approve` approves. Each
change holds the product, as every decision about its texts does, so an approval and an edit come one after the other:
the edit wins, or the approval names the version that was present.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q
from django.db.models.functions import Coalesce, Now

from accounts.audit import record
from accounts.models import Action, Membership, User, Workspace
from contentopt.errors import Conflict, DomainError
from generation.announcing import announce_approval
from generation.engine.storing import locked
from generation.models import Product, Text
from generation.services.mentions import tell_assigned

State = Text.State
MOST_AT_ONCE = 100


@transaction.atomic
def submit_text(text: Text, *, by: User | None) -> Text:
    """Send a product's present text to review. Its words stay from now on; whoever edits it writes a new draft.
    What is in review or approved already is left so."""
    text = _held(text)
    submitted = {"submitted_at": Coalesce("submitted_at", Now()), "submitted_by": by}
    _change(text, (State.DRAFT,), state=State.IN_REVIEW, **submitted)
    return _fresh(text)


@transaction.atomic
def approve_text(text: Text, *, by: User | None, words: str = "") -> Text:
    """These words may go out. Approving twice is approving once.

    A text in review keeps its words, so its id says what was read. A draft's may change at any moment: for one,
    `words` (`Text.words_digest`) says which ones were read. Raises Conflict when they are not the present ones.
    """
    text = _held(text)
    if text.state == State.DRAFT and words != text.words_digest:
        raise Conflict(
            "The words were changed after you read them. Nothing was approved: read the present ones, then approve."
            if words
            else "A draft's words may still change. Send it to review, then approve what is in review."
        )
    approved = {"approved_at": Now(), "approved_by": by, "submitted_at": Coalesce("submitted_at", Now())}
    is_new = _change(text, (State.DRAFT, State.IN_REVIEW), state=State.APPROVED, **approved)
    text = _fresh(text)
    if is_new:
        announce_approval(text)
    return text


@transaction.atomic
def reopen_text(text: Text) -> Text:
    """Back to a draft: taken out of review, or an approval taken back."""
    text = _held(text)
    _change(text, (State.IN_REVIEW, State.APPROVED), state=State.DRAFT, approved_at=None, approved_by=None)
    return _fresh(text)


@transaction.atomic
def assign_product(product: Product, *, to: Membership | None, by: User | None) -> None:
    """Give the product's text to a member of its workspace, who is told; to nobody without one."""
    others = Product.objects.in_workspace(product.workspace_id).filter(pk=product.pk).exclude(assignee=to)
    is_new = bool(others.update(assignee=to))
    product.assignee = to
    if to and is_new and by != to.user:
        tell_assigned(product, to=to, by=by)


def next_to_approve(product: Product) -> Product | None:
    """The next one of its file, in its order, whose text is not approved; after the last the first again."""
    written = Product.objects.in_workspace(product.workspace_id).filter(catalogue=product.catalogue_id).written()
    waiting = written.exclude(text__state=State.APPROVED).exclude(pk=product.pk).order_by("row_number")
    return waiting.filter(row_number__gt=product.row_number).first() or waiting.first()


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many texts wait: for anybody's approval, and for this member."""

    in_review: int
    mine: int


def waiting_for(workspace: Workspace, member: Membership) -> Waiting:
    written = Product.objects.in_workspace(workspace).written()
    mine = Q(assignee=member) & ~Q(text__state=State.APPROVED)
    counts = written.aggregate(in_review=Count("pk", Q(text__state=State.IN_REVIEW)), mine=Count("pk", mine))
    return Waiting(**counts)


@transaction.atomic
def set_export_rule(workspace: Workspace, *, only_approved: bool) -> None:
    """Whether texts that nobody approved are left out of downloads, of all files."""
    if Workspace.objects.filter(pk=workspace.pk, exports_only_approved=not only_approved).update(
        exports_only_approved=only_approved
    ):
        record(Action.EXPORT_RULE_CHANGED, workspace=workspace, only_approved=only_approved)
    workspace.exports_only_approved = only_approved


def _held(text: Text) -> Text:
    """Afresh, with its product held until the transaction ends."""
    if text.product is None:
        raise Conflict("This text belongs to no product. Only texts of products are reviewed.")
    product = locked(text.product)
    if product.text_id != text.pk:
        raise Conflict(
            "This is not the product's present text any more, so nothing was changed. Look at the present one first."
        )
    return _fresh(text)


def _fresh(text: Text) -> Text:
    return Text.objects.in_workspace(text.workspace_id).select_related("product").get(pk=text.pk)


def _change(text: Text, states: tuple[str, ...], **columns: object) -> bool:
    rows = Text.objects.in_workspace(text.workspace_id).filter(pk=text.pk, state__in=states)
    return bool(rows.update(updated_at=Now(), **columns))


# --- Several at once --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one product. `product` is None for an id that is not of this workspace."""

    id: UUID
    product: Product | None
    is_done: bool
    words: str


def with_each(workspace: Workspace, ids: Iterable[UUID], work: Callable[[Product], str]) -> list[Outcome]:
    """Do it to each product by itself: what is refused of one holds up no other. `work` says what was done."""
    ids = list(dict.fromkeys(ids))
    if len(ids) > MOST_AT_ONCE:
        raise DomainError(f"At most {MOST_AT_ONCE} products at once. Nothing was changed.")
    products = Product.objects.in_workspace(workspace).select_related("text", "assignee__user").in_bulk(ids)
    return [_outcome(pk, products.get(pk), work) for pk in ids]


def _outcome(pk: UUID, product: Product | None, work: Callable[[Product], str]) -> Outcome:
    if product is None:
        return Outcome(pk, None, is_done=False, words="There is no such product in this workspace.")
    try:
        return Outcome(pk, product, is_done=True, words=work(product))
    except DomainError as refusal:
        return Outcome(pk, product, is_done=False, words=refusal.message)


def submit_product(product: Product, *, by: User | None) -> str:
    text = submit_text(present_text(product), by=by)
    return "Approved already" if text.is_approved else "In review"


def approve_product(product: Product, *, by: User | None, read: dict[UUID, str]) -> str:
    """`read` are the texts that were shown, and the digests of their words."""
    text = present_text(product)
    if text.pk not in read:
        raise Conflict("It has another text than the one you read, so it was not approved. Read the present one first.")
    approve_text(text, by=by, words=read[text.pk])
    return "Approved"


def reopen_product(product: Product) -> str:
    reopen_text(present_text(product))
    return "A draft again"


def present_text(product: Product) -> Text:
    if product.text is None:
        raise Conflict("It has no text yet. Write one first.")
    product.text.product = product
    return product.text
