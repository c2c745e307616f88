"""The same facts in other words. Candidates share a bucket, in which everything but free words agrees; the embedding
ranks them, and only `generation.paraphrase.difference` may let one through."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils import timezone

from generation.caching.asking import Ask
from generation.caching.embedding import rank
from generation.caching.exact import texts_for
from generation.models import CachedText
from generation.paraphrase import Wording, difference

MOST_CANDIDATES = 50


def candidates(ask: Ask) -> Iterator[tuple[CachedText, str | None]]:
    """Texts of the bucket, nearest first, each with the words that differ (None: it says the same). Only what is
    compared is loaded of them."""
    rows = texts_for(ask.workspace_id, may_be_public=ask.may_be_public)
    rows = rows.filter(bucket=ask.bucket, expires_at__gt=timezone.now())
    compared = rows.exclude(origin=CachedText.Origin.SEMANTIC).only("workspace", "key", "words", "masked", "embedding")
    found = list(compared.order_by("-created_at")[:MOST_CANDIDATES])
    for index in rank(ask.wording.masked, [bytes(row.embedding or b"") for row in found]):
        row = found[index]
        yield row, difference(ask.wording, Wording.from_kept(ask.wording.bucket, row.words, row.masked))


def whole(candidate: CachedText) -> CachedText | None:
    """With all its columns, if it is still there."""
    return CachedText.objects.in_workspace(candidate.workspace_id).filter(pk=candidate.pk).first()
