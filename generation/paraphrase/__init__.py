"""Whether two briefs that are worded differently surely ask for the same. Plain Python."""

from __future__ import annotations

from generation.paraphrase.vocabulary import warm_vocabularies
from generation.paraphrase.wording import PARAPHRASE_VERSION, Wording, difference, wording_of

__all__ = ["PARAPHRASE_VERSION", "Wording", "difference", "warm_vocabularies", "wording_of"]
