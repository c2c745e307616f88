from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.budgets import Payer
from accounts.models import User, Workspace
from contentopt.errors import DomainError
from generation.announcing import announce_text
from generation.catalogues.mapping import Mapping
from generation.engine import upkeep
from generation.engine.storing import (
    default_wishes,
    facts_shown,
    locked,
    next_version,
    product_facts,
    show,
    store_text,
    undecided,
)
from generation.engine.writing import Written, write
from generation.facts import FIELDS, Brief, Task, brief_from, brief_settings, check_text, facts_hash, find_evidence
from generation.models import CachedText, Product, Text, quota_key_of_facts
from generation.services.idempotency import replayed

# An autosave within this time of the last one, by the same person, updates the version they have open.
SAME_SITTING_SECONDS = 30 * 60
MAX_TEXT = 20_000


def describe(
    *,
    workspace: Workspace,
    payer: Payer,
    brief: Brief,
    idempotency_key: str | None = None,
    request_hash: str = "",
    created_by: User | None = None,
) -> Text:
    """One text for a brief that belongs to no imported product: the API's job."""
    if earlier := replayed(Text.objects.in_workspace(workspace), idempotency_key, request_hash):
        return earlier
    written = write(brief, payer=payer, product_key=quota_key_of_facts(facts_hash(brief.facts)))
    return store_described(written, brief, workspace, idempotency_key, request_hash, created_by)


def store_described(
    written: Written,
    brief: Brief,
    workspace: Workspace,
    idempotency_key: str | None,
    request_hash: str,
    created_by: User | None = None,
) -> Text:
    try:
        return store_text(
            written,
            brief,
            workspace_id=workspace.pk,
            created_by=created_by,
            idempotency_key=idempotency_key,
            request_hash=request_hash,
        )
    except IntegrityError:
        # The same key arrived twice at once; the other one was stored.
        earlier = replayed(Text.objects.in_workspace(workspace), idempotency_key, request_hash)
        if earlier is None:
            raise
        return earlier


def rewrite(*, product: Product, changes: dict[str, Any], created_by: User | None = None) -> Text:
    """The product's first text. Where there is one, another wording, or one with other settings: past the cache, and as
    a proposal beside the present text. Nothing changes until somebody keeps it.

    After a rejection it goes past the cache as well, so that the same words do not come back.
    """
    asked = rewriting(product, changes)
    payer = page_payer(product, created_by)
    written = write(asked.brief, payer=payer, product_key=product.quota_key, variation=asked.variation)
    return store_rewritten(written, asked, product, created_by)


@dataclass(frozen=True, slots=True)
class Rewriting:
    """What a product's next text is asked for with."""

    brief: Brief
    variation: int  # above 0: past the cache
    is_proposal: bool


def rewriting(product: Product, changes: dict[str, Any]) -> Rewriting:
    present = product.text
    last = present or product.texts.filter(is_proposal=False).order_by("-version").first()
    settings = {**(last.brief if last else default_brief(product)), **changes}
    if last and settings["language"] != last.brief["language"]:
        settings |= {"task": Task.TRANSLATE, "original": last.description}
    brief = brief_from(settings, product_facts(product))
    is_past_cache = (
        present is not None or product.texts.filter(brief=brief_settings(brief), rejected_at__isnull=False).exists()
    )
    variation = product.texts.count() if is_past_cache else 0
    return Rewriting(brief, variation, is_proposal=present is not None)


def page_payer(product: Product, user: User | None) -> Payer:
    return Payer(product.workspace_id, "page", user_id=user.pk if user else None)


def store_rewritten(written: Written, asked: Rewriting, product: Product, created_by: User | None) -> Text:
    with transaction.atomic():
        text = store_text(
            written,
            asked.brief,
            workspace_id=product.workspace_id,
            product=product,
            created_by=created_by,
            is_proposal=asked.is_proposal,
        )
        if asked.variation and not text.is_proposal:
            upkeep.set_entry(text, CachedText.Origin.MODEL)
    return text


def default_brief(product: Product) -> dict[str, Any]:
    return default_wishes(writable_fields(product.catalogue.mapping))


def writable_fields(mapping: dict[str, Any]) -> list[str]:
    """The fields this file has columns for; the description always."""
    return list(Mapping.from_json(mapping).written)


@transaction.atomic
def edit_text(*, product: Product, fields: dict[str, str], editor: User | None, proposal: UUID | None = None) -> Text:
    """A person's version, of the present text or of an undecided proposal, which is kept by that. It stays whatever
    the check says, with the complaints beside it; if there are none, it is served for the same facts from now on."""
    fields = {name: clean(value) for name, value in fields.items() if name in FIELDS}
    if not fields.get("description", "").strip():
        raise DomainError("A description cannot be empty. The last version was kept.", code="empty")
    product = locked(product)
    base = undecided(product).filter(pk=proposal).first() if proposal else None
    if base:
        Text.objects.in_workspace(base.workspace_id).filter(pk=base.pk).update(is_proposal=False)
    base = base or product.text
    text = _edited(product, base, fields, editor)
    upkeep.set_entry(text, CachedText.Origin.EDITED)
    return text


def _edited(product: Product, base: Text | None, fields: dict[str, str], editor: User | None) -> Text:
    facts = product_facts(product)
    brief = brief_from(base.brief if base else default_brief(product), facts)
    values: dict[str, Any] = {
        **fields,
        "evidence": [asdict(sentence) for sentence in find_evidence(fields["description"], facts)],
        "complaints": [asdict(complaint) for complaint in check_text(fields["description"], brief)],
    }
    if base and _same_sitting(base, editor):
        for name, value in values.items():
            setattr(base, name, value)
        base.save(update_fields=[*values, "updated_at"])
        return base
    text = Text.objects.create(
        workspace_id=product.workspace_id,
        product=product,
        version=next_version(product),
        brief=base.brief if base else default_brief(product),
        facts=facts_shown(facts),
        fingerprint=base.fingerprint if base else "",
        cache_key=base.cache_key if base else "",
        source=Text.Source.EDITED,
        provider=base.provider if base else "",
        model_id=base.model_id if base else "",
        created_by=editor,
        **{name: getattr(base, name, "") for name in FIELDS if name not in values},
        **values,
    )
    show(product, text)
    announce_text(text)
    return text


def _same_sitting(text: Text, editor: User | None) -> bool:
    """Never of a text that was sent to review: those words stay, and the edit is a new draft."""
    age = (timezone.now() - text.updated_at).total_seconds()
    is_open = text.source == Text.Source.EDITED and text.submitted_at is None
    return is_open and text.created_by == editor and age < SAME_SITTING_SECONDS


def clean(value: str) -> str:
    return value.replace("\x00", "").replace("\r\n", "\n").strip()[:MAX_TEXT]


def sentences_with_facts(description: str, evidence: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The description cut into sentences with their facts, the gaps between them kept, for showing evidence."""
    pieces: list[dict[str, Any]] = []
    position = 0
    for row in sorted(evidence, key=lambda row: row["start"]):
        if row["start"] > position:
            pieces.append({"text": description[position : row["start"]], "labels": None})
        pieces.append({"text": description[row["start"] : row["end"]], "labels": row["labels"]})
        position = row["end"]
    if position < len(description):
        pieces.append({"text": description[position:], "labels": None})
    return pieces
