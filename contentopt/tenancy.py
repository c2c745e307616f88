"""Whose rows this thread of work may touch: the second wall's side in Python.

The first wall is a filter that a query has to name (`TenantQuerySet`). The second stands in PostgreSQL: policies on
every tenant's table, which read what is entered here. It is sent along with each statement (`contentopt.database`), so
it lives and dies with the statement's transaction and never stays on a connection. Who entered nothing sees nothing.

New threads begin outside, however much their parent had entered: hand the workspace over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar
from uuid import UUID

T = TypeVar("T")

SETTING = "app.workspace_id"
ACROSS = "across"  # what the policies take for "every workspace"
OUTSIDE = ""
# Behind an address, for people and scripts who look at all workspaces. The product does not serve on such a one.
EVERY_ROW = f"?options=-c%20{SETTING}%3D{ACROSS}"

_entered: ContextVar[str] = ContextVar("entered", default=OUTSIDE)


def entered() -> str:
    """The workspace's id, ACROSS or OUTSIDE."""
    return _entered.get()


@contextmanager
def entering(workspace_id: UUID) -> Iterator[None]:
    """Within the block, this workspace's rows are all there is."""
    with _standing(str(workspace_id)):
        yield


@contextmanager
def across_workspaces() -> Iterator[None]:
    """For what is by nature across: sign-in, look-up of keys, sweepers, staff. Each use is a decision, easy to grep."""
    with _standing(ACROSS):
        yield


@contextmanager
def outside_workspaces() -> Iterator[None]:
    """No tenant's rows at all, whatever the caller had entered: where a request or a task begins."""
    with _standing(OUTSIDE):
        yield


def enter(workspace_id: UUID) -> None:
    """For the rest of the request or task, whose beginning and end `outside_workspaces` marks."""
    _entered.set(str(workspace_id))


def enter_all() -> None:
    """The same for every workspace."""
    _entered.set(ACROSS)


def staying(parts: Iterable[T]) -> Iterator[T]:
    """Take each part of a reply with what is entered now: it is read after its view has returned."""
    where = entered()

    def each() -> Iterator[T]:
        iterator = iter(parts)
        while True:
            with _standing(where):
                try:
                    part = next(iterator)
                except StopIteration:
                    return
            yield part

    return each()


@contextmanager
def _standing(where: str) -> Iterator[None]:
    token = _entered.set(where)
    try:
        yield
    finally:
        _entered.reset(token)
