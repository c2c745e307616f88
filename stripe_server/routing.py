"""Which function answers which call, what its parameters are, and what an expanded field holds."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stripe_server.account import Account, Object, list_of, visible
from stripe_server.errors import ApiError

Resource = Callable[..., Object]
Inclusion = Callable[[Account, Object], Any]


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: re.Pattern[str]
    params: str  # a type of stripe.params
    resource: Resource


ROUTES: list[Route] = []
# Fields that are there only when they are asked for: (kind, field) -> what they hold.
INCLUDED: dict[tuple[str, str], Inclusion] = {}


def route(method: str, path: str, params: str) -> Callable[[Resource], Resource]:
    pattern = re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path) + "$")

    def register(resource: Resource) -> Resource:
        ROUTES.append(Route(method, pattern, params, resource))
        return resource

    return register


def included(kind: str, field: str) -> Callable[[Inclusion], Inclusion]:
    def register(inclusion: Inclusion) -> Inclusion:
        INCLUDED[kind, field] = inclusion
        return inclusion

    return register


def find_route(method: str, path: str) -> tuple[Route, dict[str, str]]:
    matches = [(each, match) for each in ROUTES if each.method == method and (match := each.path.match(path))]
    if matches:  # a name goes before an id
        found, match = min(matches, key=lambda each: each[0].path.groups)
        return found, match.groupdict()
    raise ApiError(f"Unrecognized request URL ({method}: {path}).", status=404)


def reply_with(account: Account, obj: Object, expand: list[str]) -> Object:
    """A copy as the caller sees it, with the fields expanded that it asked for."""
    shown: Object = copy.deepcopy(obj)
    for path in expand:
        _expand(account, shown, path.split("."))
    cleaned: Object = visible(shown)
    return cleaned


def _expand(account: Account, node: Any, path: list[str]) -> None:
    if isinstance(node, list):
        for each in node:
            _expand(account, each, path)
        return
    field = path[0]
    if (node.get("object", ""), field) in INCLUDED:
        node[field] = copy.deepcopy(INCLUDED[node["object"], field](account, node))
    elif field not in node:
        raise ApiError(f"This property cannot be expanded ({field}).", param="expand")
    elif isinstance(node[field], str):
        node[field] = copy.deepcopy(account.find(node[field]) or node[field])
    if len(path) > 1 and node[field] is not None:
        _expand(account, node[field], path[1:])


def page_of(rows: list[Object], params: dict[str, Any], url: str) -> Object:
    """Stripe's pagination of rows that come newest first."""
    if created := params.get("created"):
        bounds = created if isinstance(created, dict) else {"gte": created, "lte": created}
        rows = [row for row in rows if _is_within(row["created"], bounds)]
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise ApiError("This value must be between 1 and 100.", param="limit")
    ids = [row["id"] for row in rows]
    for cursor in ("starting_after", "ending_before"):
        if params.get(cursor) and params[cursor] not in ids:
            raise ApiError(f"No such object: '{params[cursor]}'", code="resource_missing", param=cursor)
    if params.get("ending_before"):
        newer = rows[: ids.index(params["ending_before"])]
        return list_of(newer[-limit:], url, len(newer) > limit)
    if params.get("starting_after"):
        rows = rows[ids.index(params["starting_after"]) + 1 :]
    return list_of(rows[:limit], url, len(rows) > limit)


def _is_within(moment: int, bounds: dict[str, int]) -> bool:
    checks = {"gt": moment.__gt__, "gte": moment.__ge__, "lt": moment.__lt__, "lte": moment.__le__}
    return all(checks[name](bound) for name, bound in bounds.items())


def merge_metadata(present: dict[str, str] | None, given: Any) -> dict[str, str]:
    """An empty value takes a key away, an empty string in its place all of them."""
    if given == "":
        return {}
    merged = dict(present or {}) | dict(given or {})
    return {key: value for key, value in merged.items() if value != ""}
