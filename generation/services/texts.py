from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User, Workspace
from contentopt.errors import DomainError
from generation.engine.storing import brief_from, default_wishes, facts_shown, next_version, show, store_text
from generation.engine.writing import write
from generation.facts import FIELDS, Brief, Facts, check_text, extract_facts, find_evidence
from generation.models import Product, Text
from generation.services.idempotency import key_reused

# An autosave within this time of the last one, by the same person, updates the version they have open.
SAME_SITTING_SECONDS = 30 * 60
MAX_TEXT = 20_000


def product_facts(product: Product) -> Facts:
    return extract_facts(product.product)


def describe(
    *,
    workspace: Workspace,
    brief: Brief,
    idempotency_key: str | None = None,
    request_hash: str = "",
    created_by: User | None = None,
) -> Text:
    """One text for a brief that belongs to no imported product: the API's and the landing page's job."""
    if idempotency_key and (earlier := replayed(workspace, idempotency_key, request_hash)):
        return earlier
    written = write(brief, workspace_id=workspace.pk)
    try:
        with transaction.atomic():
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
        earlier = replayed(workspace, idempotency_key or "", request_hash)
        if earlier is None:
            raise
        return earlier


def replayed(workspace: Workspace, idempotency_key: str, request_hash: str) -> Text | None:
    earlier = Text.objects.in_workspace(workspace).filter(idempotency_key=idempotency_key).first()
    if earlier and earlier.request_hash != request_hash:
        raise key_reused()
    return earlier


def rewrite(*, product: Product, changes: dict[str, Any], created_by: User | None = None) -> Text:
    """Write the product's text again: another tone or length, or with no changes another wording."""
    present = product.text
    settings = {**(present.brief if present else default_brief(product)), **changes}
    brief = brief_from(settings, product_facts(product))
    same_again = present is not None and settings == present.brief
    variation = product.texts.count() if same_again else 0
    written = write(brief, workspace_id=product.workspace_id, variation=variation)
    return store_text(written, brief, workspace_id=product.workspace_id, product=product, created_by=created_by)


def default_brief(product: Product) -> dict[str, Any]:
    return default_wishes(writable_fields(product.catalogue.mapping))


def writable_fields(mapping: dict[str, Any]) -> list[str]:
    """The fields this file has columns for; the description always."""
    roles = mapping.get("roles", [])
    return [field for field in FIELDS if field == "description" or field in roles]


@transaction.atomic
def edit_text(*, product: Product, fields: dict[str, str], editor: User | None) -> Text:
    """A person's version. It is kept whatever the check says; the complaints are shown beside it."""
    fields = {name: clean(value) for name, value in fields.items() if name in FIELDS}
    if not fields.get("description", "").strip():
        raise DomainError("A description cannot be empty. The last version was kept.", code="empty")
    product = Product.objects.in_workspace(product.workspace_id).select_for_update(of=("self",)).get(pk=product.pk)
    facts = product_facts(product)
    present = product.text
    brief = brief_from(present.brief if present else default_brief(product), facts)
    values: dict[str, Any] = {
        **fields,
        "evidence": [asdict(sentence) for sentence in find_evidence(fields["description"], facts)],
        "complaints": [asdict(complaint) for complaint in check_text(fields["description"], brief)],
    }
    if present and _same_sitting(present, editor):
        for name, value in values.items():
            setattr(present, name, value)
        present.save()
        return present
    text = Text.objects.create(
        workspace_id=product.workspace_id,
        product=product,
        version=next_version(product),
        brief=present.brief if present else default_brief(product),
        facts=facts_shown(facts),
        fingerprint=present.fingerprint if present else "",
        source=Text.Source.EDITED,
        provider=present.provider if present else "",
        model_id=present.model_id if present else "",
        created_by=editor,
        **{name: getattr(present, name, "") for name in FIELDS if name not in values},
        **values,
    )
    show(product, text)
    return text


def _same_sitting(text: Text, editor: User | None) -> bool:
    age = (timezone.now() - text.updated_at).total_seconds()
    return text.source == Text.Source.EDITED and text.created_by == editor and age < SAME_SITTING_SECONDS


def clean(value: str) -> str:
    return value.replace("\x00", "").replace("\r\n", "\n").strip()[:MAX_TEXT]


@transaction.atomic
def restore_text(*, product: Product, version: int, editor: User | None) -> Text:
    """Make an earlier version the present one, as a new version, so that restoring can be undone too."""
    product = Product.objects.in_workspace(product.workspace_id).select_for_update(of=("self",)).get(pk=product.pk)
    earlier = product.texts.get(version=version)
    copied = ("brief", "facts", "fingerprint", "evidence", "complaints", "provider", "model_id", "tokens", *FIELDS)
    text = Text.objects.create(
        workspace_id=product.workspace_id,
        product=product,
        version=next_version(product),
        source=Text.Source.RESTORED,
        created_by=editor,
        **{name: getattr(earlier, name) for name in copied},
    )
    show(product, text)
    return text


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
