"""`items[0][price]=p&metadata[a]=b` and back: how Stripe's API takes parameters."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from stripe_server.errors import ApiError

KEY = re.compile(r"[^\[\]]+|\[\]")


def decode_form(text: str) -> dict[str, Any]:
    """Nested dicts; a dict whose keys are all numbers becomes a list. Values stay strings."""
    root: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        _put(root, KEY.findall(name), value)
    listed = _as_lists(root)
    return listed if isinstance(listed, dict) else {}


def _put(node: dict[str, Any], path: list[str], value: str) -> None:
    for key in path[:-1]:
        node = node.setdefault(str(len(node)) if key == "[]" else key, {})
        if not isinstance(node, dict):
            raise ApiError(f"Invalid {path[0]}", param=path[0])
    if path:
        node[str(len(node)) if path[-1] == "[]" else path[-1]] = value


def _as_lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(key.isdigit() for key in node):
        return [_as_lists(node[key]) for key in sorted(node, key=int)]
    return {key: _as_lists(value) for key, value in node.items()}
