"""The ledger as people read it: newest first, a page at a time, each line with what it names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts.models import TenantQuerySet, UsageEntry, Workspace
from accounts.positions import Position, on_days, page_before
from generation.models import LlmCall, Run, Text
from generation.services.usage import key_names, member_names, night_names, run_name

BATCH = 2_000


NOBODY = "none"  # stands for the lines that carry no such id
Whose = UUID | str | None


@dataclass(frozen=True, slots=True)
class Choice:
    """Which lines are wanted; whatever is None or empty does not narrow."""

    first: date | None = None
    last: date | None = None
    member: Whose = None
    key: Whose = None
    run: Whose = None
    model: str = ""
    source: str = ""

    def narrows(self) -> Q:
        wanted = on_days("occurred_at", self.first, self.last)
        for column, id_ in (("user_id", self.member), ("api_key_id", self.key), ("run_id", self.run)):
            if id_:
                wanted &= Q(**{column: None if id_ == NOBODY else id_})
        for column, value in (("model_id", self.model), ("source", self.source)):
            if value:
                wanted &= Q(**{column: value})
        return wanted


def ledger_page(
    workspace: Workspace, choice: Choice, *, before: Position | None = None, size: int
) -> tuple[list[UsageEntry], Position | None]:
    """The next lines after a position, and where to go on from; None at the end."""
    lines: TenantQuerySet[UsageEntry] = UsageEntry.objects.in_workspace(workspace).filter(choice.narrows())
    return page_before(lines, "occurred_at", before, size=size)


def ledger_lines(workspace: Workspace, choice: Choice, *, size: int = BATCH) -> Iterator[UsageEntry]:
    """All of them, a batch in memory at a time."""
    before: Position | None = None
    while True:
        page, before = ledger_page(workspace, choice, before=before, size=size)
        yield from page
        if before is None:
            return


@dataclass(frozen=True, slots=True)
class Line:
    """A ledger line with the names of what it names. `text` is None where no text came of it, or it was deleted."""

    entry: UsageEntry
    member: str
    key: str
    run: str
    is_night: bool
    text: Text | None
    outcome: str


def explained(workspace: Workspace, entries: list[UsageEntry]) -> list[Line]:
    """Names for a page of lines, in as many queries as there are kinds of names."""
    members, keys = member_names(workspace), key_names(workspace)
    runs = _by_id(Run, workspace, [entry.run_id for entry in entries], "catalogue")
    texts = _by_id(Text, workspace, [entry.text_id for entry in entries], "product")
    nights = night_names(workspace, [entry.run_id for entry in entries])
    calls = _by_id(LlmCall, workspace, [entry.reservation_id for entry in entries])
    return [
        Line(
            entry=entry,
            member=members.get(entry.user_id, "Removed member") if entry.user_id else "",
            key=keys.get(entry.api_key_id, "Removed key") if entry.api_key_id else "",
            run=_run_name(runs, nights, entry.run_id),
            is_night=entry.run_id in nights,
            text=texts.get(entry.text_id),
            outcome=outcome(entry, calls.get(entry.reservation_id)),
        )
        for entry in entries
    ]


def _by_id(model: Any, workspace: Workspace, ids: list[UUID | None], *related: str) -> dict[UUID | None, Any]:
    rows = model.objects.in_workspace(workspace).filter(pk__in={pk for pk in ids if pk})
    return {row.pk: row for row in (rows.select_related(*related) if related else rows)}


def _run_name(runs: dict[UUID | None, Run], nights: dict[UUID, str], pk: UUID | None) -> str:
    if pk is None:
        return ""
    return run_name(runs[pk]) if pk in runs else nights.get(pk, "Removed run")


OUTCOMES: dict[str, str] = {
    LlmCall.Outcome.REFUSED: "The text did not pass the check, so it was not used.",
    LlmCall.Outcome.FAILED: "The model sent no usable text.",
    LlmCall.Outcome.UNKNOWN: "No answer came back.",
}


def outcome(entry: UsageEntry, call: LlmCall | None) -> str:
    """What is not plain from the figures; empty for a text that was written and paid for."""
    if entry.basis == UsageEntry.Basis.CEILING:
        return "No answer came back, so the most it can cost is counted until the provider says what it was."
    if entry.basis == UsageEntry.Basis.CORRECTION:
        return "The truth about an earlier line that was counted at the most it could cost."
    if entry.basis == UsageEntry.Basis.EXACT and not entry.answers:
        return OUTCOMES.get(call.outcome if call else "", "No text came of this call.")
    return ""
