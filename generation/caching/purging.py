"""Taking entries out of the cache, in PostgreSQL and in front of it.

A product or a file that is deleted takes no entry with it: a text that was paid for serves again when the same facts
come back. Who wants it gone purges it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils import timezone

from accounts.retiring import retire_on_commit
from generation.caching.asking import Ask
from generation.facts import LANGUAGES, Brief, Facts, facts_hash
from generation.models import CachedTemplate, CachedText

BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Choice:
    """Entries of one workspace that meet everything given; all of them when nothing is.

    `products` are what products' facts make of them: their texts, and what these were filled from or stand in for, so
    that asking again finds nothing.
    """

    workspace_id: UUID
    products: tuple[Facts, ...] | None = None
    model_id: str = ""
    older_than_days: int | None = None


@dataclass(frozen=True, slots=True)
class Purged:
    """How many entries, how often they had answered and what that saved, in nano-dollars."""

    texts: int = 0
    templates: int = 0
    hits: int = 0
    saved_nanos: int = 0

    def __bool__(self) -> bool:
        return bool(self.texts or self.templates)

    def __add__(self, other: Purged) -> Purged:
        return Purged(
            self.texts + other.texts,
            self.templates + other.templates,
            self.hits + other.hits,
            self.saved_nanos + other.saved_nanos,
        )


def count(choice: Choice) -> Purged:
    """What a purge would take away."""
    return count_texts(_texts(choice)) + count_templates(_templates(choice))


def purge(choice: Choice) -> Purged:
    texts, templates = _texts(choice), _templates(choice)
    # Templates first: until a text's is gone, a text that is purged could be filled again.
    return remove_templates(templates) + remove_texts(texts)


def count_texts(texts: QuerySet[CachedText]) -> Purged:
    saved = Sum(F("hits") * F("cost_nanos"), default=0)
    found = texts.order_by().aggregate(n=Count("pk"), answered=Sum("hits", default=0), saved=saved)
    return Purged(texts=found["n"], hits=found["answered"], saved_nanos=found["saved"])


def count_templates(templates: QuerySet[CachedTemplate]) -> Purged:
    """What they answered is counted with the texts that were filled from them."""
    return Purged(templates=templates.count())


def remove_texts(texts: QuerySet[CachedText]) -> Purged:
    """These rows, in batches; what stands in front of them goes with the commit."""
    purged = Purged()
    rows = iter(list(texts.values_list("pk", "hits", F("hits") * F("cost_nanos"))))
    while batch := list(islice(rows, BATCH)):
        CachedText._base_manager.filter(pk__in=[pk for pk, *_ in batch]).delete()
        retire_on_commit()
        purged += Purged(len(batch), 0, sum(row[1] for row in batch), sum(row[2] for row in batch))
    return purged


def remove_templates(templates: QuerySet[CachedTemplate]) -> Purged:
    purged = Purged()
    rows = iter(list(templates.values_list("pk", flat=True)))
    while batch := list(islice(rows, BATCH)):
        CachedTemplate._base_manager.filter(pk__in=batch).delete()
        purged += Purged(templates=len(batch))
    return purged


def _texts(choice: Choice) -> QuerySet[CachedText]:
    texts = CachedText.objects.in_workspace(choice.workspace_id)
    if choice.products is None:
        return texts.filter(_meets(choice))
    own = texts.filter(facts_hash__in=[facts_hash(facts) for facts in choice.products])
    # Found now: once the first of them are gone, nothing tells any more where they came from.
    donors = set(own.exclude(donor=None).values_list("donor", flat=True))
    return texts.filter(_meets(choice), Q(pk__in=set(own.values_list("pk", flat=True)) | donors))


def _templates(choice: Choice) -> QuerySet[CachedTemplate]:
    templates = CachedTemplate.objects.in_workspace(choice.workspace_id)
    if choice.products is None:
        return templates.filter(_meets(choice))
    own = CachedText.objects.in_workspace(choice.workspace_id).filter(
        facts_hash__in=[facts_hash(facts) for facts in choice.products]
    )
    donors = set(own.exclude(donor=None).values_list("donor", flat=True))
    subjects = {subject for facts in choice.products for subject in _subjects(choice.workspace_id, facts)}
    return templates.filter(_meets(choice), Q(pk__in=donors) | Q(subject__in=subjects))


def _subjects(workspace_id: UUID, facts: Facts) -> set[str]:
    """Under which a template for these facts is kept, in any language."""
    asks = (Ask(workspace_id, Brief(facts, language=language), quality="") for language in LANGUAGES)
    return {ask.subject for ask in asks if ask.family}


def _meets(choice: Choice) -> Q:
    meets = Q(model_id=choice.model_id) if choice.model_id else Q()
    if choice.older_than_days is not None:
        meets &= Q(created_at__lt=timezone.now() - timedelta(days=choice.older_than_days))
    return meets
