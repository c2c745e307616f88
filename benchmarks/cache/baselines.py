"""What others do, over the same stream: the same string, a cosine, GPTCache. Each asks a model when it finds none."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import numpy as np
from gptcache import Cache, Config
from gptcache.adapter import api
from gptcache.manager import CacheBase, VectorBase, get_data_manager
from gptcache.processor.pre import get_prompt
from gptcache.similarity_evaluation.distance import SearchDistanceEvaluation

from benchmarks.cache.embeddings import Embed

COSINE = 0.95
GPTCACHE_DEFAULT = 0.8
MOST_ENTRIES = 100_000  # nothing is evicted
FIRST_ROOM = 1_024


class TextCache(Protocol):
    def get(self, words: str) -> str | None: ...

    def put(self, words: str, text: str) -> None: ...


class ExactString:
    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def get(self, words: str) -> str | None:
        return self.texts.get(words)

    def put(self, words: str, text: str) -> None:
        self.texts[words] = text


class PlainCosine:
    """The nearest text asked for so far, if it is near enough."""

    def __init__(self, embed: Embed, threshold: float = COSINE) -> None:
        self.embed = embed
        self.threshold = threshold
        self.texts: list[str] = []
        self.vectors = np.zeros((FIRST_ROOM, embed("any").size), dtype=np.float32)

    def get(self, words: str) -> str | None:
        if not self.texts:
            return None
        near = self.vectors[: len(self.texts)] @ self.embed(words)
        best = int(near.argmax())
        return self.texts[best] if near[best] >= self.threshold else None

    def put(self, words: str, text: str) -> None:
        if len(self.texts) == len(self.vectors):
            self.vectors = np.concatenate([self.vectors, np.zeros_like(self.vectors)])
        self.vectors[len(self.texts)] = self.embed(words)
        self.texts.append(text)


class GPTCache:
    """GPTCache 0.1.44 on SQLite and faiss. Its score is 4 - L2², so that a cosine c is (2 + 2c) / 4 of its range."""

    def __init__(self, embed: Embed, threshold: float) -> None:
        folder = Path(tempfile.mkdtemp())
        atexit.register(shutil.rmtree, folder)  # at exit, it writes there once more
        store = CacheBase("sqlite", sql_url=f"sqlite:///{folder / 'gptcache.db'}")
        index = VectorBase("faiss", dimension=embed("any").size, index_path=str(folder / "gptcache.index"))
        self.cache = Cache()
        self.cache.init(
            pre_embedding_func=get_prompt,
            embedding_func=lambda words, **_: embed(words),
            data_manager=get_data_manager(store, index, max_size=MOST_ENTRIES),
            similarity_evaluation=SearchDistanceEvaluation(),
            config=Config(similarity_threshold=threshold),
        )

    def get(self, words: str) -> str | None:
        found: str | None = api.get(words, cache_obj=self.cache)
        return found

    def put(self, words: str, text: str) -> None:
        api.put(words, text, cache_obj=self.cache)


def threshold_of_cosine(cosine: float) -> float:
    return (2 + 2 * cosine) / 4


def replay(cache: TextCache, asked: Iterable[str], write: Callable[[str], str] = str) -> list[tuple[bool, str]]:
    """For each request whether the cache served it, and the text. A model's text states what it was asked with."""
    replies = []
    for words in asked:
        text = cache.get(words)
        replies.append((text is not None, write(words) if text is None else text))
        if text is None:
            cache.put(words, write(words))
    return replies
