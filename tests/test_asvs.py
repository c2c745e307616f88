"""The table of what holds what names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
PAGE = (ROOT / "docs" / "asvs.md").read_text()
ROW = re.compile(r"^\| (?P<id>LLM\d\d|\d+\.\d+\.\d+) \|.*\| (?P<tests>[^|]*) \|$", re.MULTILINE)
TEST = re.compile(r"`(?P<path>tests/[\w/]+\.py)::(?P<name>test_\w+)`")
# Sections 4 and 5 of what this product sets itself.
NEEDED = """
1.2.10 1.3.1 1.3.6 2.3.1 2.3.2 2.3.3 2.3.4 2.4.1 3.4.3 6.3.1 6.3.3 6.3.5 6.3.8 6.4.3 7.2.4 7.4.1 7.4.2 7.4.3 7.5.2
8.2.1 8.2.2 8.2.3 8.3.1 8.3.2 8.4.1 13.2.4 13.2.5 13.3.1 14.2.1 14.3.2 15.3.3 15.4.2 16.2.5 16.3.2 16.3.3 16.5.1 16.5.3
LLM01 LLM02 LLM03 LLM04 LLM05 LLM06 LLM07 LLM08 LLM09 LLM10
"""


def test_every_requirement_has_one_row() -> None:
    assert [row["id"] for row in ROW.finditer(PAGE)] == NEEDED.split()


def test_every_test_that_is_named_exists() -> None:
    named = [(match["path"], match["name"]) for match in TEST.finditer(PAGE)]
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).exists() or not re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.MULTILINE)
    ]
    assert len(named) > 60
    assert missing == []


def test_a_row_names_tests_or_says_that_there_are_none() -> None:
    silent = [row["id"] for row in ROW.finditer(PAGE) if not TEST.search(row["tests"]) and "none" not in row["tests"]]
    assert silent == []
