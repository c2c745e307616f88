"""What was answered: free answers on their way to the ledger, and the ledger summed up by hour and by day.

A paid answer is a ledger line from the moment its cost is settled (`accounts.budgets`). A free one must not cost a
write to PostgreSQL while somebody waits for it, so it is noted in a Valkey stream, and the ledger has it seconds later.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import orjson
import structlog
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from accounts.authentication import LAST_USED_EVERY
from accounts.budgets import Payer
from accounts.models import RollupMark, UsageEntry, UsageRollup
from accounts.signals import free_answers_entered
from contentopt.tenancy import across_workspaces

log = structlog.get_logger()

DRAIN, ROLL_UP = "accounts.tasks.drain_free_answers", "accounts.tasks.roll_up"

# --- Free answers -----------------------------------------------------------------------------------------------------

STREAM, SET_ASIDE = "free-answers", "free-answers-set-aside"
MAX_SET_ASIDE = 1_000
DRAIN_AT_ONCE = 1_000

ENTERING = 0x656E746572  # "enter"

UUIDS = ("id", "workspace_id", "user_id", "api_key_id", "run_id", "text_id")
_COLUMNS = [field for field in UsageEntry._meta.concrete_fields if field.name != "recorded_at"]
# The statement's own list, for the table's may be in another order.
_ENTER = """
INSERT INTO accounts_usageentry ({columns})
SELECT {columns} FROM jsonb_populate_recordset(NULL::accounts_usageentry, %s) line
 WHERE EXISTS (SELECT FROM accounts_workspace w WHERE w.id = line.workspace_id)
    ON CONFLICT DO NOTHING
RETURNING id
""".format(columns=", ".join(field.attname for field in _COLUMNS))
_USES = """
UPDATE accounts_apikey k SET last_used_at = latest.at
  FROM unnest(%s::uuid[], %s::timestamptz[]) latest (id, at)
 WHERE k.id = latest.id AND (k.last_used_at IS NULL OR k.last_used_at < latest.at - make_interval(secs => %s))
"""

# KEYS: stream. ARGV: the most lines it may hold, line. Replies 0 when it is full.
_NOTE = """
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('XADD', KEYS[1], '*', 'line', ARGV[2])
return 1
"""
# As Valkey gives it: `line` holds columns of the ledger as JSON, and `answer` more of them if there is one. What else
# is in it is for whoever answered (see accounts.signals.free_answers_entered).
Line = dict[bytes, bytes]


def record_free(
    payer: Payer, *, text_id: UUID, source: str, provider: str, model_id: str, tier: str, saved_nanos: int
) -> None:
    """Count an answer that cost nothing, without PostgreSQL.

    Call it before the answer is given away. What can be wrong, of counts of free answers and never of money:

    - The process dies before this returns: that line is lost, but its answer was not given either. If it dies after
      this, an answer that nobody got is counted, and once more when it is asked for again.
    - Valkey's machine dies: the last second, two at worst (`appendfsync everysec`). Its process alone dying loses
      nothing that it has acknowledged.
    - Valkey's data is thrown away or kept nowhere: what came in since the last drain, a few seconds ago.

    While Valkey is down, slow or full the line goes straight to the ledger: slower, and nothing is lost. It has its id
    from the start, so a line that took both ways counts once. With PostgreSQL down as well this raises.
    """
    columns = asked_columns(payer, text_id)
    columns |= answer_columns(source=source, provider=provider, model_id=model_id, tier=tier, saved_nanos=saved_nanos)
    if not _note(as_line(columns)):
        enter_now({b"line": as_line(columns).encode()})


def asked_columns(payer: Payer, text_id: UUID) -> dict[str, Any]:
    """Of a free answer's line in the ledger: who asked, for what, when."""
    return {
        "id": uuid4(),
        "workspace_id": payer.workspace_id,
        "basis": UsageEntry.Basis.FREE,
        "endpoint": payer.endpoint,
        "user_id": payer.user_id,
        "api_key_id": payer.api_key_id,
        "run_id": payer.run_id,
        "text_id": text_id,
        "answers": 1,
        "calls": 0,
        "cost_nanos": 0,
        "occurred_at": timezone.now(),
    }


def answer_columns(*, source: str, provider: str, model_id: str, tier: str, saved_nanos: int) -> dict[str, Any]:
    """The others: what was given, by whom it was written, and what that cost then."""
    return {"source": source, "provider": provider, "model_id": model_id, "tier": tier, "saved_nanos": saved_nanos}


def as_line(columns: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> str:
    return orjson.dumps(columns, default=str).decode()


def stream_key() -> str:
    """Of no version: what waits here is not to be retired with what is cached."""
    key: str = cache.make_key(STREAM)
    return key


def _note(line: str) -> bool:
    try:
        noted: Any = get_redis_connection("default").eval(_NOTE, 1, stream_key(), settings.FREE_ANSWERS_WAITING, line)
    except RedisError as error:
        log.warning("free_answer_not_noted", error=type(error).__name__)
        return False
    return bool(noted)


@across_workspaces()
def drain_free_answers(at_most: int | None = None) -> int:
    """Move what waits in the stream to the ledger. Returns how many lines.

    A line leaves the stream only once the ledger has it for good, and enters the ledger once, by its id: so any number
    may drain at a time, and die at any moment.
    """
    drained = 0
    while lines := get_redis_connection("default").xrange(stream_key(), count=DRAIN_AT_ONCE):
        drained += _drain(lines)
        if len(lines) < DRAIN_AT_ONCE or drained >= (at_most or math.inf):
            break
    return drained


def _drain(lines: list[tuple[bytes, Line]]) -> int:
    answers, unreadable = [], []
    for stream_id, line in lines:
        try:
            answers.append((_read(line), line))
        except (KeyError, TypeError, ValueError, ValidationError) as error:
            log.error("free_answer_unreadable", stream_id=stream_id.decode(), error=type(error).__name__)
            unreadable.append(line)
    with transaction.atomic(), connection.cursor() as cursor:
        # One at a time: two that count the same hits in another order would wait for each other.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ENTERING])
        _enter(answers)
    with get_redis_connection("default").pipeline() as both:
        for line in unreadable:
            both.xadd(cache.make_key(SET_ASIDE), line, maxlen=MAX_SET_ASIDE)
        both.xdel(stream_key(), *(stream_id for stream_id, _ in lines))
        both.execute()
    return len(answers)


@across_workspaces()
def enter_now(line: Line) -> None:
    """Past the stream, when Valkey has no room for the line. Any number at a time."""
    with transaction.atomic():
        _enter([(_read(line), line)])


def _enter(answers: Sequence[tuple[UsageEntry, Line]]) -> None:
    """Those that are not in the ledger yet. A workspace may have been deleted meanwhile, and its ledger with it."""
    rows = [{field.attname: field.value_from_object(entry) for field in _COLUMNS} for entry, _ in answers]
    with connection.cursor() as cursor:
        cursor.execute(_ENTER, [as_line(rows)])
        new = {pk for (pk,) in cursor.fetchall()}
    fresh = [(entry, line) for entry, line in answers if entry.pk in new]
    _note_uses([entry for entry, _ in fresh])
    free_answers_entered.send(UsageEntry, answers=fresh)


def _note_uses(entries: Sequence[UsageEntry]) -> None:
    """Of API keys: a request that PostgreSQL knows nothing of notes none itself."""
    latest: dict[UUID, datetime] = {}
    for entry in entries:
        if entry.api_key_id:
            latest[entry.api_key_id] = max(entry.occurred_at, latest.get(entry.api_key_id, entry.occurred_at))
    with connection.cursor() as cursor:
        cursor.execute(_USES, [list(latest), list(latest.values()), LAST_USED_EVERY.total_seconds()])


def _read(line: Line) -> UsageEntry:
    columns = {**json.loads(line[b"line"]), **json.loads(line.get(b"answer", b"{}"))}
    columns |= {name: UUID(str(columns[name])) for name in UUIDS if columns[name] is not None}
    entry = UsageEntry(**{**columns, "occurred_at": datetime.fromisoformat(columns["occurred_at"])})
    empty = {field.name for field in entry._meta.fields if getattr(entry, field.attname) is None}
    entry.clean_fields(exclude={"workspace"} | empty)
    return entry


# --- Rollups ----------------------------------------------------------------------------------------------------------


class Grain(NamedTuple):
    """One of the two sums, in the words of `roll_up.sql`: hours come from the ledger, days from hours."""

    grain: str
    source: str
    is_source: str
    moment: str
    length: str


HOURS = Grain("hour", "accounts_usageentry", "recorded_at <= %(until)s", "occurred_at", "1 hour")
DAYS = Grain("day", "accounts_usagerollup", "grain = 'hour'", "start", "24 hours")
_ROLL_UP = (Path(__file__).parent / "sql" / "roll_up.sql").read_text()
SUMS = [_ROLL_UP.format(**grain._asdict()) for grain in (HOURS, DAYS)]

ADVISORY_LOCK = 0x726F6C6C  # "roll"
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
# A line is seen when its transaction ends, but was recorded before: so each time look back further than any transaction
# lasts. Celery ends a task after four minutes, and nothing waits for a network inside a transaction.
OVERLAP = timedelta(minutes=15)


@across_workspaces()
def roll_up() -> bool:
    """Bring the rollups up to date with the ledger, late lines included. False when another process is at it.

    Rollups hold the lines recorded up to the mark; a reader who wants the latest adds those recorded after it. Sums and
    mark move in one transaction, so a worker that is killed leaves both as they were.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s), clock_timestamp()", [ADVISORY_LOCK])
        is_ours, now = cursor.fetchall()[0]
        if is_ours:
            mark, _ = RollupMark.objects.get_or_create(pk=1, defaults={"recorded_until": NEVER})
            _sum_up(cursor, recorded_since=mark.recorded_until - OVERLAP, until=now)
            RollupMark.objects.filter(pk=1).update(recorded_until=now)
    return bool(is_ours)


@across_workspaces()
def recompute(since: date) -> None:
    """Make the rollups of a day and all days after it anew from the ledger, whatever they say now."""
    start = datetime.combine(since, time.min, UTC)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])
        cursor.execute("ANALYZE accounts_usageentry, accounts_usagerollup")  # it may read all of them, so plan well
        UsageRollup.objects.across_workspaces().filter(start__gte=start).delete()
        mark = RollupMark.objects.filter(pk=1).first()
        if mark:
            _sum_up(cursor, since=start, until=mark.recorded_until)
        roll_up()


def _sum_up(
    cursor: CursorWrapper, *, until: datetime, recorded_since: datetime = NEVER, since: datetime = NEVER
) -> None:
    for sums in SUMS:
        cursor.execute(sums, {"recorded_since": recorded_since, "since": since, "until": until})
