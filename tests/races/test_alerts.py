"""Many processes, one notice: each threshold and each week is told once, and mailed once to each."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from datetime import timedelta
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.mail.backends.filebased import EmailBackend
from django.db.models import F

from accounts.budgets import Attempt, Payer, Tokens, dispatch, reserve, settle
from accounts.dollars import NANOS_PER_DOLLAR
from accounts.emails import send_notice
from accounts.models import Budget, Notice, Role, UsageEntry, Workspace
from accounts.summaries import tell_last_week
from contentopt.jobs import JobState
from tests.conftest import member
from tests.races.conftest import StartWorker
from tests.races.product import eventually

pytestmark = pytest.mark.processes

TEXTS = 25
CENT = NANOS_PER_DOLLAR // 100


def spend_cents(workspace_id: UUID, count: int) -> None:
    for _ in range(count):
        attempt = Attempt(uuid.uuid4(), uuid.uuid4(), "offline", "offline", "economy", "1")
        reserve(Payer(workspace_id, "api"), attempt, CENT)
        dispatch(attempt.id)
        settle(attempt.id, cost_nanos=CENT, tokens=Tokens(), is_answer=True)


def send_all(notice_ids: list[UUID]) -> int:
    """How many this process mailed."""
    return sum(send_notice(notice_id) is not None for notice_id in notice_ids)


class HangsAtZoe(EmailBackend):
    """A mail server that never answers for one address."""

    def send_messages(self, messages: Any) -> int:
        if any("zoe" in message.to[0] for message in messages):
            time.sleep(60)
        return super().send_messages(messages) or 0


def to_files(folder: Path, backend: type[EmailBackend] = EmailBackend) -> dict[str, str]:
    return {"EMAIL_BACKEND": f"{backend.__module__}.{backend.__name__}", "EMAIL_FILE_PATH": str(folder)}


def mails_in(folder: Path) -> Iterable[Message]:
    """The file backend separates messages by a line of dashes."""
    for file in folder.iterdir():
        parts = file.read_bytes().split(b"\n" + b"-" * 79 + b"\n")
        yield from (message_from_bytes(part) for part in parts if part.strip())


@pytest.fixture
def capped_shop(shop: Workspace) -> Workspace:
    """A dollar a month."""
    Workspace.objects.filter(pk=shop.pk).update(spend_cap_nanos=NANOS_PER_DOLLAR)
    return shop


def test_each_threshold_is_told_once_and_mailed_once(
    capped_shop: Workspace, start_worker: StartWorker, tmp_path: Path
) -> None:
    spenders = [start_worker(spend_cents, capped_shop.pk, TEXTS) for _ in range(4)]
    for spender in spenders:
        spender.result()
    budget = Budget.objects.in_workspace(capped_shop).get()
    assert budget.spent_nanos == budget.limit_nanos == 4 * TEXTS * CENT

    notices = Notice.objects.in_workspace(capped_shop)
    told = dict(notices.values_list("topic", "pk"))
    assert set(told) == {f"budget/{budget.pk}/{percent}" for percent in (50, 80, 100)}
    for percent in (50, 80, 100):
        spent = notices.get(details__percent=percent).details["spent_nanos"]
        assert spent == percent * CENT  # by the very text that reached it

    senders = [start_worker(send_all, sorted(told.values()), **to_files(tmp_path)) for _ in range(3)]

    assert sum(sender.result() for sender in senders) == 3
    subjects = sorted(str(mail["Subject"]).split(" of ")[0] for mail in mails_in(tmp_path))
    assert subjects[:2] == ["Alder Goods: 50 %", "Alder Goods: 80 %"]
    assert len(subjects) == 3
    assert subjects[2].endswith("is used up")


def test_sender_that_is_killed_is_replaced_and_nobody_is_mailed_twice(
    shop: Workspace, start_worker: StartWorker, tmp_path: Path
) -> None:
    member(shop, "zoe@alder-goods.example", Role.ADMIN)
    details = {"percent": 50, "used": 5, "limit": 10, "resets_at": "2026-12-01T00:00:00+00:00"}
    notice = Notice.objects.create(workspace=shop, kind="quota", topic="quota/2026-11/50", details=details)
    sender = start_worker(send_notice, notice.pk, **to_files(tmp_path, HangsAtZoe), JOB_LEASE_SECONDS=1)
    assert eventually(lambda: Notice.objects.in_workspace(shop).filter(details__has_key="mailed").exists())
    sender.end()

    successor = eventually(lambda: start_worker(send_notice, notice.pk, **to_files(tmp_path)).result(), 10, pause=0.3)

    assert successor == JobState.DONE
    assert sorted(str(mail["To"]) for mail in mails_in(tmp_path)) == [
        "alice@alder-goods.example",
        "zoe@alder-goods.example",
    ]


def test_week_is_told_once_by_clocks_that_ask_at_once(shop: Workspace, start_worker: StartWorker) -> None:
    spend_cents(shop.pk, 1)
    UsageEntry.objects.in_workspace(shop).update(occurred_at=F("occurred_at") - timedelta(days=7, hours=6))

    clocks = [start_worker(tell_last_week) for _ in range(4)]

    assert sorted(clock.result() for clock in clocks) == [0, 0, 0, 1]
    assert Notice.objects.in_workspace(shop).filter(kind=Notice.Kind.WEEK).count() == 1
