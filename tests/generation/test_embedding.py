from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from generation.caching.embedding import embed, rank


def test_the_nearest_wording_comes_first_whatever_its_case() -> None:
    known = [embed(text) for text in ("garden hose", "HIKING BOOTS", "coffee cup")]

    assert rank("hiking boots", known)[0] == 1
    assert sorted(rank("hiking boots", known)) == [0, 1, 2]
    assert rank("hiking boots", []) == []


def test_vectors_are_small_and_any_text_has_one() -> None:
    texts = ["", " ", "mug", "多", "a" * 50_000]

    with ThreadPoolExecutor(4) as pool:
        vectors = list(pool.map(embed, texts))

    assert {len(vector) for vector in vectors} == {512}
    assert len(rank("", vectors)) == len(texts)
