"""The audit log: who did what. `record` is called inside the transaction of what happened, so there is never one
without the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import models
from django.db.models import Q

from accounts.acting import Actor, present_actor
from accounts.models import Action, ApiKey, AuditEntry, User, Workspace
from accounts.positions import Position, on_days, page_before
from contentopt.tenancy import entering

MOST_CHARACTERS = 200  # of one word of the details: room for a name, not for a text
MOST_WORDS = 20
BATCH = 1_000


def record(
    action: Action,
    *,
    workspace: Workspace | UUID,
    target: models.Model | None = None,
    by: Actor | None = None,
    **details: object,
) -> AuditEntry:
    """One entry; `by` is whoever is at work unless told otherwise. `details` are figures, names and short words: never
    a secret, a text or an address. A person is named by their id, which is a name only as long as they have an account.
    """
    actor = by or present_actor()
    workspace_id = workspace.pk if isinstance(workspace, Workspace) else workspace
    with entering(workspace_id):  # a sign-in is written down in each of a person's, and what staff do in the platform's
        return AuditEntry.objects.create(
            workspace_id=workspace_id,
            actor=actor.kind,
            user_id=actor.user_id,
            api_key_id=actor.api_key_id,
            address=actor.address,
            action=action,
            target_kind=target._meta.model_name or "" if target else "",
            target_id=str(target.pk) if target else "",
            details={name: _short(value) for name, value in details.items()},
        )


def _short(value: object) -> object:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [_short(word) for word in sorted(value)[:MOST_WORDS]]
    if isinstance(value, str | UUID | date):
        return str(value)[:MOST_CHARACTERS]
    raise TypeError(f"{type(value).__name__} is nothing for an audit entry")


# --- Reading ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Choice:
    """Which entries are wanted; what is empty does not narrow. `actions` is what their words begin with (`key`)."""

    actions: str = ""
    who: UUID | None = None
    first: date | None = None
    last: date | None = None

    def narrows(self) -> Q:
        wanted = Q()
        if self.actions:
            wanted &= Q(action__startswith=f"{self.actions}.")
        if self.who:
            wanted &= Q(user_id=self.who) | Q(api_key_id=self.who)
        return wanted & on_days("created_at", self.first, self.last)


@dataclass(frozen=True, slots=True)
class Line:
    """An entry with the names of whom and what it names, as they are now."""

    entry: AuditEntry
    who: str
    target: str


def entries(workspace: Workspace, choice: Choice) -> models.QuerySet[AuditEntry]:
    return AuditEntry.objects.in_workspace(workspace).filter(choice.narrows())


def page_of(
    workspace: Workspace, choice: Choice, *, before: Position | None = None, size: int
) -> tuple[list[AuditEntry], Position | None]:
    """The next entries after a position, and where to go on from; None at the end."""
    return page_before(entries(workspace, choice), "created_at", before, size=size)


def lines(workspace: Workspace, choice: Choice, *, size: int = BATCH) -> Iterator[Line]:
    """All of them, a batch in memory at a time."""
    before: Position | None = None
    while True:
        page, before = page_of(workspace, choice, before=before, size=size)
        yield from explained(page)
        if before is None:
            return


def explained(page: list[AuditEntry]) -> list[Line]:
    """Two queries, however long the page."""
    ids = {UUID(entry.target_id) for entry in page if entry.target_kind in ("user", "apikey")}
    ids |= {pk for entry in page for pk in (entry.user_id, entry.api_key_id) if pk}
    people = dict(User.objects.filter(pk__in=ids).values_list("pk", "email"))
    # Each entry is its own workspace's, and so is the key that it names.
    keys = dict(ApiKey.objects.across_workspaces().filter(pk__in=ids).values_list("pk", "name"))
    return [Line(entry, _who(entry, people, keys), _target(entry, people, keys)) for entry in page]


def _who(entry: AuditEntry, people: dict[UUID, str], keys: dict[UUID, str]) -> str:
    if entry.actor == AuditEntry.Actor.USER and entry.user_id:
        return people.get(entry.user_id, "Deleted account")
    if entry.actor == AuditEntry.Actor.KEY and entry.api_key_id:
        return f"API key “{keys.get(entry.api_key_id, 'deleted')}”"
    return entry.get_actor_display()


def _target(entry: AuditEntry, people: dict[UUID, str], keys: dict[UUID, str]) -> str:
    if entry.target_kind == "user":
        return people.get(UUID(entry.target_id), "Deleted account")
    if entry.target_kind == "apikey":
        return f"“{keys.get(UUID(entry.target_id), 'deleted')}”"
    return ""
