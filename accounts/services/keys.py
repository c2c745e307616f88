from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from accounts import budgets
from accounts.authentication import secret_digest
from accounts.models import ApiKey, Scope, User, Workspace
from accounts.retiring import retire_on_commit
from contentopt.errors import Conflict, DomainError, NotAllowed

KEY_START = "co_"  # lets secret scanners find a leaked key
HINT = 4  # characters of a secret's end that are shown, so that people can tell two of them apart
NO_PREVIOUS = {
    "previous_sha256": "",
    "previous_hint": "",
    "previous_created_at": None,
    "previous_used_at": None,
    "previous_ends_at": None,
}
LIMITS = ("burst_per_minute", "requests_per_day", "spend_cap_nanos")


def issue_key(
    *,
    workspace: Workspace,
    name: str,
    scopes: list[str],
    created_by: User | None = None,
    expires_at: datetime | None = None,
    burst_per_minute: int | None = None,
    requests_per_day: int | None = None,
    spend_cap_nanos: int | None = None,
) -> tuple[ApiKey, str]:
    """The row, and the key itself (`co_1a2b3c4d.<secret>`): shown once, never stored."""
    _refuse_the_past(expires_at)
    prefix = KEY_START + secrets.token_hex(4)
    secret = secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        workspace=workspace,
        name=name,
        prefix=prefix,
        secret_sha256=secret_digest(secret),
        secret_hint=secret[-HINT:],
        scopes=[scope for scope in Scope.values if scope in scopes],
        created_by=created_by,
        expires_at=expires_at,
        burst_per_minute=burst_per_minute,
        requests_per_day=requests_per_day,
        spend_cap_nanos=spend_cap_nanos,
    )
    return key, f"{prefix}.{secret}"


@transaction.atomic
def rotate_key(key: ApiKey, *, old_lasts: timedelta) -> str:
    """A new secret beside the present one, which is good for so long yet. Returns the key with it: shown once.

    A key has two secrets at most, so it cannot be rotated again before the older one has ended.
    """
    secret = secrets.token_urlsafe(32)
    has_room = Q(previous_ends_at=None) | Q(previous_ends_at__lte=Now())
    kept = {
        "previous_sha256": F("secret_sha256"),
        "previous_hint": F("secret_hint"),
        "previous_created_at": F("secret_created_at"),
        "previous_used_at": F("last_used_at"),
        "previous_ends_at": Now() + old_lasts,
    }
    rotated = (
        _active(key)
        .filter(has_room)
        .update(
            **(kept if old_lasts else NO_PREVIOUS),
            secret_sha256=secret_digest(secret),
            secret_hint=secret[-HINT:],
            secret_created_at=Now(),
            secret_used_at=None,
        )
    )
    if not rotated:
        key.refresh_from_db()
        raise Conflict(
            "This key has two secrets already. End the previous one first, once nothing uses it any more."
            if key.is_active
            else "This key is revoked or expired. Make a new one."
        )
    retire_on_commit()
    return f"{key.prefix}.{secret}"


@transaction.atomic
def end_previous_secret(key: ApiKey) -> None:
    """At once, instead of when it was to end."""
    ended = _active(key).filter(previous_ends_at__gt=Now()).update(**NO_PREVIOUS)
    if not ended:
        raise Conflict("This key has one secret only. Revoke the key to end that.")
    retire_on_commit()


@transaction.atomic
def change_key(key: ApiKey, **changes: Any) -> None:
    """Its name, its end, what it may use. A cap holds from now on, also for what is spent of the month already."""
    _refuse_the_past(changes.get("expires_at"))
    _unrevoked(key).update(**changes)
    budgets.apply_limits(key.workspace_id)
    retire_on_commit()


@transaction.atomic
def revoke_key(key: ApiKey) -> None:
    _unrevoked(key).update(revoked_at=timezone.now())
    retire_on_commit()


def _refuse_the_past(expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at <= timezone.now():
        raise DomainError("A key cannot expire in the past. To end one now, revoke it.", code="already_past")


def _unrevoked(key: ApiKey) -> QuerySet[ApiKey]:
    return ApiKey.objects.in_workspace(key.workspace_id).filter(pk=key.pk, revoked_at=None)


def _active(key: ApiKey) -> QuerySet[ApiKey]:
    return _unrevoked(key).filter(Q(expires_at=None) | Q(expires_at__gt=Now()))


def refuse_more_scopes(own: Collection[str], wanted: Collection[str]) -> None:
    """Nobody gets hold of a key that may do more than they may themselves."""
    if beyond := sorted(set(wanted) - set(own)):
        raise NotAllowed(f"That key may do what you may not ({', '.join(beyond)}). Somebody who may has to do this.")


def refuse_wider(own: ApiKey, wanted: Mapping[str, Any]) -> None:
    """The same of a key that makes or changes keys: neither a longer life nor a higher limit than its own."""
    for name in (*LIMITS, "expires_at"):
        bound = getattr(own, name)
        if name in wanted and bound is not None and (wanted[name] is None or wanted[name] > bound):
            raise NotAllowed(
                f"The key that asks has a limit of its own ({name}), which it cannot exceed by another key."
            )
