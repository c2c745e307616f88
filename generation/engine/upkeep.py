"""What a person's word about a text does to the cache. Only rows of the text's own workspace are touched."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q

from accounts.models import TenantQuerySet
from generation.caching import exact
from generation.caching.entries import Entry
from generation.engine.checking import complaints_about
from generation.engine.routes import Router
from generation.engine.storing import product_facts
from generation.facts import brief_from
from generation.models import CachedTemplate, CachedText, Text


def set_entry(text: Text, origin: str) -> None:
    """The product's text becomes what is served for the product's facts and the text's wishes.

    If it claims more than the facts, or leaves out a field that was wished for, nothing is kept for them any more:
    whoever wrote it did not want the old one. A family's template stays either way, since it served its family well;
    what was made from the old entry goes.
    """
    if text.product is None:
        return
    brief = brief_from(text.brief, product_facts(text.product))
    router = Router(text.workspace_id)
    ask = router.ask(brief)
    known = _entries(text.workspace_id).filter(key=ask.key).first()
    if known:
        made_from_it = _entries(text.workspace_id).filter(donor=known.pk)
        exact.forget(text.workspace_id, *made_from_it.values_list("key", flat=True))
    fields = {name: getattr(text, name) for name in brief.fields}
    if not all(fields.values()) or complaints_about(fields, brief):
        exact.forget(text.workspace_id, ask.key)
        return
    exact.store(
        ask,
        Entry(
            fields,
            text.evidence,
            text.provider,
            text.model_id,
            tier=_tier(router, text.model_id) or (known.tier if known else ""),
            cost_nanos=text.cost_nanos or (known.cost_nanos if known else 0),
            origin=origin,
        ),
    )


def _tier(router: Router, model_id: str) -> str:
    return next((spec.tier for spec in router.offer.specs if spec.model_id == model_id), "")


def withdraw(text: Text) -> None:
    """The text is not served again: its entry goes with what that was made from, a family's template say, and with all
    that was made from the same. An entry that holds another text by now stays."""
    entries = _entries(text.workspace_id)
    entry = entries.filter(key=text.cache_key).first()
    if entry is None:
        exact.forget(text.workspace_id, text.cache_key)  # it may still stand in front
    elif entry.fields["description"] == text.description:
        ids = _related(entries, entry.pk)
        CachedTemplate.objects.in_workspace(text.workspace_id).filter(pk__in=ids).delete()
        exact.forget(text.workspace_id, *entries.filter(pk__in=ids).values_list("key", flat=True))


def _related(entries: TenantQuerySet[CachedText], first: UUID) -> set[UUID]:
    """Ids of texts and templates that one was made from or that were made from one of them."""
    known: set[UUID] = set()
    found = {first}
    while found - known:
        known |= found
        rows = entries.filter(Q(pk__in=known) | Q(donor__in=known)).values_list("pk", "donor")
        found = {pk for row in rows for pk in row if pk}
    return known


def _entries(workspace_id: UUID) -> TenantQuerySet[CachedText]:
    return CachedText.objects.in_workspace(workspace_id)
