from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max, QuerySet
from django.db.models.functions import Now

from accounts.models import User
from contentopt.database.rows import insert
from generation.announcing import announce_text
from generation.caching.entries import Entry
from generation.engine.writing import Spent, Written
from generation.facts import Brief, Facts, Task, brief_from, brief_settings, extract_facts
from generation.facts.product import AttributeValue
from generation.models import Product, RunItem, Text
from generation.prompts import fits

TOKENS = ("input_tokens", "cached_tokens", "output_tokens")
NO_FACTS = Facts("", (), "")


def default_wishes(fields: Sequence[str], **chosen: Any) -> dict[str, Any]:
    """The settings of a brief that wants nothing special, but for what is chosen."""
    return {**brief_settings(Brief(NO_FACTS)), "fields": list(fields), **chosen}


def product_facts(product: Product) -> Facts:
    return extract_facts(product.product)


def product_brief(settings: dict[str, Any], product: Product) -> Brief:
    """What a run wishes, of one product. Where there is no text to rewrite or translate, it is described."""
    brief = brief_from(settings, product_facts(product))
    original = _original(brief, product)
    return replace(brief, task=brief.task if original else Task.DESCRIPTION, original=original)


def _original(brief: Brief, product: Product) -> str:
    """The shop's own text to rewrite, or the newest of ours in another language to translate; empty where it is not
    there or too long to be worked on as a whole."""
    original = ""
    if brief.task == Task.REWRITE:
        original = next((fact.value for fact in brief.facts.facts if fact.label == "description"), "")
    elif brief.task == Task.TRANSLATE:
        kept = product.texts.filter(is_proposal=False, rejected_at=None).exclude(brief__language=brief.language)
        original = kept.order_by("-version").values_list("description", flat=True).first() or ""
    return original if fits(original) else ""


def text_facts(text: Text) -> Facts:
    """Of its product as it is now; without one, those it was written from, whose variants are not kept."""
    if text.product is not None:
        return product_facts(text.product)
    values: dict[str, dict[str, list[str]]] = {}
    for row in text.facts:
        values.setdefault(row["label"], {}).setdefault(row["display_label"], []).append(row["value"])
    features = [value for labelled in values.pop("feature", {}).values() for value in labelled]
    title, brand, category, description = (
        next(iter(values.pop(name, {}).values()), [""])[0] for name in ("title", "brand", "category", "description")
    )
    attributes: dict[str, AttributeValue] = {
        display: list(given) for labelled in values.values() for display, given in labelled.items()
    }
    return extract_facts(
        {
            "title": title,
            "brand": brand,
            "category": category,
            "attributes": attributes,
            "features": features,
            "description": description,
        }
    )


def facts_shown(facts: Facts) -> list[dict[str, str]]:
    return [{"label": f.label, "display_label": f.display_label, "value": f.value} for f in facts.facts]


def asked_columns(brief: Brief, fingerprint: str, cache_key: str) -> dict[str, Any]:
    """Of a text: what it was asked for."""
    return {
        "brief": brief_settings(brief),
        "facts": facts_shown(brief.facts),
        "fingerprint": fingerprint,
        "cache_key": cache_key,
    }


def given_columns(entry: Entry, source: str, spent: Spent) -> dict[str, Any]:
    """Of a text: what it says, where that came from and what it cost now."""
    return {
        "evidence": entry.evidence,
        "source": source,
        "provider": entry.provider,
        "model_id": entry.model_id,
        "cost_nanos": spent.cost_nanos,
        "tokens": {name: getattr(spent, name) for name in TOKENS},
        **entry.fields,
    }


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
    is_proposal: bool = False,
) -> Text:
    """Keep a text as the product's next version, and show it. A proposal stands beside the present text instead, in
    place of an earlier one; and what a run wrote does not cover what a person chose since the run began."""
    text = Text(
        id=written.text_id,
        workspace_id=workspace_id,
        is_proposal=is_proposal,
        run_item=run_item,
        created_by=created_by,
        idempotency_key=idempotency_key,
        request_hash=request_hash,
        explanation=written.explanation,
        **asked_columns(brief, written.fingerprint, written.cache_key),
        **given_columns(written.entry, written.source, written.spent),
    )
    if product is not None:
        _store_of_product(text, product, run_item)
    elif idempotency_key:
        with transaction.atomic():  # another may have been stored under it
            insert(text)
    else:
        insert(text)
    return text


@transaction.atomic
def _store_of_product(text: Text, product: Product, run_item: RunItem | None) -> None:
    product = locked(product)
    text.product, text.version = product, next_version(product)
    insert(text)
    if text.is_proposal:
        undecided(product).exclude(pk=text.pk).update(rejected_at=Now())
        return
    if not (run_item and chosen_since(product, run_item)):
        show(product, text)
    announce_text(text)


def locked(product: Product) -> Product:
    """The product afresh, held until the transaction ends: versions count up one by one, and no decision about it is
    covered by another."""
    return Product.objects.in_workspace(product.workspace_id).select_for_update(of=("self",)).get(pk=product.pk)


def next_version(product: Product | None) -> int:
    if product is None:
        return 1
    return (product.texts.aggregate(latest=Max("version"))["latest"] or 0) + 1


def chosen_since(product: Product, run_item: RunItem) -> bool:
    """Whether somebody wrote, edited, kept, restored or reviewed the present text by hand since the run began."""
    present = product.text
    is_by_hand = present and (present.run_item_id is None or present.submitted_at is not None)
    return bool(present and is_by_hand and present.updated_at > run_item.run.created_at)


def undecided(product: Product) -> QuerySet[Text]:
    """The proposal that waits for somebody to keep or discard it; at most one."""
    return product.texts.filter(is_proposal=True, rejected_at=None)


def show(product: Product, text: Text | None) -> None:
    product.text = text
    product.save(update_fields=["text"])
