"""Reads the tables beside this file: concept -> language -> base forms."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

Table = dict[str, dict[str, list[str]]]

ANY_LANGUAGE = "any"
BROADER = "broader"
DENIES = "denies"
OTHERWISE = "otherwise"


@cache
def concepts(name: str) -> Table:
    return tomllib.loads(_text(name))


@cache
def phrases(name: str) -> dict[str, list[str]]:
    """A table without concepts: language -> phrases."""
    return tomllib.loads(_text(name))


def _text(name: str) -> str:
    return files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
