"""What people decide about texts: restore, keep, reject. Each is a row of the product's history, and can be undone."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from contentopt.errors import Conflict
from generation.announcing import announce_text
from generation.engine import upkeep
from generation.engine.storing import locked, next_version, show
from generation.facts import FIELDS
from generation.models import CachedText, Product, Text
from generation.services.texts import clean

MAX_REASON = 500


@transaction.atomic
def restore_text(*, product: Product, version: int, editor: User | None) -> Text:
    """Make an earlier version the present one, as a new version, so that restoring can be undone too."""
    product = locked(product)
    earlier = product.texts.get(version=version)
    copied = ("brief", "facts", "fingerprint", "cache_key", "evidence", "complaints", "provider", "model_id", "tokens")
    text = Text.objects.create(
        workspace_id=product.workspace_id,
        product=product,
        version=next_version(product),
        source=Text.Source.RESTORED,
        created_by=editor,
        **{name: getattr(earlier, name) for name in (*copied, *FIELDS)},
    )
    show(product, text)
    is_edited = earlier.source == Text.Source.EDITED
    upkeep.set_entry(text, CachedText.Origin.EDITED if is_edited else CachedText.Origin.MODEL)
    announce_text(text)
    return text


@transaction.atomic
def keep_text(text: Text) -> Text:
    """A proposal becomes the product's text, and what is served for the same facts and wishes from now on. Keeping
    it twice is keeping it."""
    product, text = _with_product(text)
    if product.text_id == text.pk:
        return text
    if not text.is_undecided:
        raise Conflict("Only another wording that waits for a decision can be kept. Restore this version instead.")
    text.is_proposal = False
    text.save(update_fields=["is_proposal", "updated_at"])
    show(product, text)
    upkeep.set_entry(text, CachedText.Origin.MODEL)
    announce_text(text)
    return text


@transaction.atomic
def reject_text(text: Text, *, by: User | None, reason: str = "") -> Text:
    """Not usable. An undecided proposal is discarded, with no other effect. Any other text is not served again, nor is
    what it was made from: a family's template goes too. If it was the product's present text, the last version takes
    its place that nobody rejected and that says only what the facts say; without one the product has no text.

    Every version stays in the history, and restoring the rejected one undoes this.
    """
    if text.product_id is None:
        product, text = None, Text.objects.in_workspace(text.workspace_id).select_for_update().get(pk=text.pk)
    else:
        product, text = _with_product(text)
    if text.rejected_at:
        return text
    if not text.is_proposal:
        upkeep.withdraw(text)
    text.rejected_at, text.rejected_by, text.rejection = timezone.now(), by, clean(reason)[:MAX_REASON]
    text.state, text.approved_at, text.approved_by = Text.State.DRAFT, None, None
    review = ("state", "approved_at", "approved_by")
    text.save(update_fields=["rejected_at", "rejected_by", "rejection", *review, "updated_at"])
    if product and product.text_id == text.pk:
        show(product, last_good(product, instead_of=text))
    return text


def last_good(product: Product, *, instead_of: Text) -> Text | None:
    """The version that stands in for a rejected one: never words that were rejected."""
    usable = product.texts.filter(rejected_at=None, is_proposal=False, complaints=[])
    rejected = product.texts.filter(rejected_at__isnull=False, is_proposal=False).values("description")
    return (
        usable.exclude(description__in=rejected)
        .exclude(description=instead_of.description)
        .order_by("-version")
        .first()
    )


def _with_product(text: Text) -> tuple[Product, Text]:
    """Both afresh, with the product locked, so that two decisions about it come one after the other."""
    if text.product is None:
        raise Conflict("This text belongs to no product, so there is nothing to keep it for.")
    product = locked(text.product)
    return product, product.texts.select_related("product").get(pk=text.pk)
