from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from accounts.models import User
from generation.engine.writing import Written
from generation.facts import Brief, Facts
from generation.models import Product, RunItem, Text

NO_FACTS = Facts("", (), "")


def brief_settings(brief: Brief) -> dict[str, Any]:
    """The brief without its facts, as rows keep it."""
    return {
        "tone": brief.tone,
        "language": brief.language,
        "length": brief.length,
        "channel": brief.channel,
        "voice": brief.voice,
        "keywords": list(brief.keywords),
        "instructions": brief.instructions,
        "fields": list(brief.fields),
    }


def default_wishes(fields: Sequence[str], **chosen: Any) -> dict[str, Any]:
    """The settings of a brief that wants nothing special, but for what is chosen."""
    return {**brief_settings(Brief(NO_FACTS)), "fields": list(fields), **chosen}


def brief_from(settings: dict[str, Any], facts: Facts) -> Brief:
    return Brief(
        facts=facts,
        **{**settings, "keywords": tuple(settings.get("keywords", ())), "fields": tuple(settings["fields"])},
    )


def facts_shown(facts: Facts) -> list[dict[str, str]]:
    return [{"label": f.label, "display_label": f.display_label, "value": f.value} for f in facts.facts]


@transaction.atomic
def store_text(
    written: Written,
    brief: Brief,
    *,
    workspace_id: UUID,
    product: Product | None = None,
    run_item: RunItem | None = None,
    created_by: User | None = None,
    idempotency_key: str | None = None,
    request_hash: str = "",
) -> Text:
    """Keep a text as the product's next version, and show it unless a person has edited the present one meanwhile."""
    if product is not None:
        # The lock makes versions count up one by one and keeps an edit from being covered.
        product = Product.objects.in_workspace(workspace_id).select_for_update(of=("self",)).get(pk=product.pk)
    text = Text.objects.create(
        workspace_id=workspace_id,
        product=product,
        version=next_version(product),
        brief=brief_settings(brief),
        facts=facts_shown(brief.facts),
        fingerprint=written.fingerprint,
        evidence=written.entry.evidence,
        source=written.source,
        provider=written.entry.provider,
        model_id=written.entry.model_id,
        cost_nanos=written.spent.cost_nanos,
        tokens={name: count for name, count in asdict(written.spent).items() if name != "cost_nanos"},
        run_item=run_item,
        created_by=created_by,
        idempotency_key=idempotency_key,
        request_hash=request_hash,
        **written.entry.fields,
    )
    if product is not None and not (run_item and edited_since(product, run_item)):
        show(product, text)
    return text


def next_version(product: Product | None) -> int:
    if product is None:
        return 1
    return (product.texts.aggregate(latest=Max("version"))["latest"] or 0) + 1


def edited_since(product: Product, run_item: RunItem) -> bool:
    present = product.text
    return bool(present and present.source == Text.Source.EDITED and present.updated_at > run_item.run.created_at)


def show(product: Product, text: Text) -> None:
    product.text = text
    product.save(update_fields=["text"])
