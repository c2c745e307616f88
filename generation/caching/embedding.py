"""Texts as vectors that ship with the package wordllama: static, offline. They rank candidates and admit none."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from threading import Lock

import numpy as np
import wordllama
from wordllama import WordLlamaInference

DIMENSIONS = 256
# Beyond that the beginning stands for all of a text.
MAX_CHARS = 2_000

# One thread loads and the others wait: it takes most of a second.
_loading = Lock()


def embed(text: str) -> bytes:
    """256 float16 values of length 1 together (512 bytes); zeros for a text without words."""
    # The tokenizer knows more words in small letters than in capitals.
    vector = np.asarray(_model().embed([text[:MAX_CHARS].lower() or " "], norm=True)[0], dtype=np.float16)
    return bytes(np.nan_to_num(vector).tobytes())


def rank(text: str, candidates: Sequence[bytes]) -> list[int]:
    """Positions of the candidates (results of `embed`), nearest first; equally near ones keep their order."""
    if not candidates:
        return []
    asked = np.frombuffer(embed(text), dtype=np.float16).astype(np.float32)
    known = np.frombuffer(b"".join(candidates), dtype=np.float16).reshape(-1, DIMENSIONS).astype(np.float32)
    return [int(position) for position in np.argsort(-(known @ asked), kind="stable")]


def _model() -> WordLlamaInference:
    with _loading:
        return _loaded_model()


@cache
def _loaded_model() -> WordLlamaInference:
    """From the files inside the package: what it does by default asks the network for a tokenizer it already has."""
    model = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True, dim=DIMENSIONS)
    # As they are in the file, in half the memory: what is reckoned with them is float32 all the same.
    model.embedding = model.embedding.astype(np.float16)
    return model
