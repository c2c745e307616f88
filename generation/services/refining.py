"""A conversation about a text: each wish makes a proposal beside the present text, or is answered in words."""

from __future__ import annotations

from dataclasses import replace

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts.budgets import Payer
from accounts.models import User
from contentopt.errors import Conflict, DomainError
from generation.engine.refusing import TextRefused, WishDeclined
from generation.engine.storing import locked, store_text, text_facts
from generation.engine.writing import write
from generation.facts import Brief, Complaint, Turn, brief_from, facts_hash, unsupported_in
from generation.llm.replies import NOT_IN_FACTS, join_reply
from generation.models import Product, Refinement, Text, quota_key_of_facts
from generation.services.decisions import reject_text, restore_text
from generation.services.idempotency import replayed
from generation.services.texts import clean

MAX_WISH = 500
MOST_TURNS = 20  # that are looked up; how many of them a model sees depends on their size


def refine(
    *,
    text: Text,
    wish: str,
    payer: Payer,
    by: User | None = None,
    idempotency_key: str | None = None,
    request_hash: str = "",
) -> Refinement:
    """Write the text anew with one more wish. What comes of it stands in the returned row: a proposal (for a product;
    else a text of its own), or, where the facts do not support the wish, why not. Neither changes the present text.

    Raises Conflict for a text that is neither a product's present one nor a proposal for it, and what `write` raises.
    """
    wish = " ".join(clean(wish).split())[:MAX_WISH]
    if not wish:
        raise DomainError("Say what is to change.", code="invalid")
    earlier_turns = Refinement.objects.in_workspace(text.workspace_id).select_related("text")
    if earlier := replayed(earlier_turns, idempotency_key, request_hash):
        return earlier
    require_current(text)
    refinement = Refinement(
        workspace_id=text.workspace_id,
        product=text.product,
        basis=text,
        wish=wish,
        created_by=by,
        idempotency_key=idempotency_key,
        request_hash=request_hash,
    )
    try:
        return _followed(refinement, payer)
    except IntegrityError:  # the same key arrived twice at once, and the other one is stored by now
        if earlier := replayed(earlier_turns, idempotency_key, request_hash):
            return earlier
        raise


def _followed(refinement: Refinement, payer: Payer) -> Refinement:
    brief = brief_from(refinement.basis.brief, text_facts(refinement.basis))
    if unsupported := unsupported_in(refinement.wish, brief):
        return _answered(refinement, unsupported_answer(unsupported))
    return _written(refinement, brief, payer)


def conversation_about(product: Product) -> list[Refinement]:
    """The newest turns about a product's texts, oldest first."""
    rows = Refinement.objects.in_workspace(product.workspace_id).filter(product=product)
    return list(rows.select_related("text", "created_by").order_by("-created_at")[:MOST_TURNS])[::-1]


def require_current(text: Text) -> None:
    is_current = text.is_undecided or text.product is None or text.product.text_id == text.pk
    if not is_current or (text.rejected_at and text.product is None):
        raise Conflict("Only a product's present text or the proposal for it can be changed. Restore this one first.")


def unsupported_answer(unsupported: list[Complaint]) -> str:
    named = ", ".join(f"“{complaint.words}”" for complaint in unsupported)
    return (
        f"Nothing in this product's facts supports {named}, so it was not written and cost nothing. If it is true, add "
        "it to the product's facts and ask again."
    )


def _written(refinement: Refinement, brief: Brief, payer: Payer) -> Refinement:
    text, product = refinement.basis, refinement.product
    try:
        written = write(
            _with_turns(brief, refinement),
            payer=payer,
            product_key=product.quota_key if product else quota_key_of_facts(facts_hash(brief.facts)),
            variation=product.texts.count() if product else 1,
        )
    except TextRefused as refusal:
        return _answered(refinement, refused_answer(refusal), refusal.spent_nanos)
    with transaction.atomic():
        refinement.text = store_text(
            written,
            brief,
            workspace_id=text.workspace_id,
            product=product,
            created_by=refinement.created_by,
            is_proposal=product is not None,
        )
        refinement.cost_nanos = written.spent.cost_nanos
        refinement.save()
    return refinement


def refused_answer(refusal: TextRefused) -> str:
    if not isinstance(refusal, WishDeclined):
        return f"No text followed this wish and kept to the facts, so the present one stays. {refusal.message}"
    if refusal.message.startswith(NOT_IN_FACTS):
        return f"{refusal.message.rstrip('.')}. If it is true, add it to the product's facts and ask again."
    return refusal.message.partition(":")[2].strip()


def _answered(refinement: Refinement, answer: str, cost_nanos: int = 0) -> Refinement:
    refinement.answer, refinement.cost_nanos = answer, cost_nanos
    refinement.save()
    return refinement


def _with_turns(brief: Brief, refinement: Refinement) -> Brief:
    """Oldest first: each text as its writer gave it, and what was wished of it."""
    said = [(refinement.basis, refinement.wish)]
    while (earlier := getattr(said[0][0], "refinement", None)) and len(said) < MOST_TURNS:
        said.insert(0, (earlier.basis, earlier.wish))
    fields = {text.pk: {name: getattr(text, name) for name in brief.fields} for text, _ in said}
    turns = tuple(Turn(join_reply(fields[text.pk], brief.fields), wish) for text, wish in said)
    return replace(brief, turns=turns)


@transaction.atomic
def take_back(refinement: Refinement, *, by: User | None) -> None:
    """Undo one turn: the text that the wish was about is the present one again, or the proposal.

    Raises Conflict when the text has been decided on otherwise since.
    """
    text, product = refinement.text, refinement.product
    if text is None or product is None:
        raise Conflict("This wish changed nothing, so there is nothing to undo.")
    product = locked(product)
    text.refresh_from_db()
    if text.pk == product.text_id:
        restore_text(product=product, version=refinement.basis.version, editor=by)
    elif text.is_undecided:
        reject_text(text, by=by)
        superseded(product).filter(pk=refinement.basis_id).update(rejected_at=None)
    else:
        raise Conflict("This proposal was decided on already. Earlier versions can be restored from the history.")


def superseded(product: Product) -> QuerySet[Text]:
    """Proposals that nobody discarded: another one took their place."""
    return product.texts.filter(is_proposal=True, rejected_at__isnull=False, rejected_by=None)
