"""The same Idempotency-Key gives the same reply, byte for byte, and what it asked for is done once.

Whoever comes first holds a lease on the row while they do it, and leaves the reply there. Whoever comes meanwhile waits
a little for that reply. Only what was done is kept: a refusal changed nothing, so the same key may try again. Whoever
dies in between lets go of the lease within seconds; then the next one does it.
"""

from __future__ import annotations

import base64
import hashlib
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts.models import ApiKey, IdempotentRequest
from contentopt.errors import Conflict, DomainError
from contentopt.leases import Lease, beating, lease_end

LOOK_EVERY_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Kept:
    """A reply."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request under a key. `sealed_with` encrypts the reply: with something that only whoever asked knows."""

    api_key: ApiKey
    idempotency_key: str
    request_hash: str
    sealed_with: str = ""

    @property
    def rows(self) -> QuerySet[IdempotentRequest]:
        rows = IdempotentRequest.objects.in_workspace(self.api_key.workspace_id)
        return rows.filter(idempotency_key=self.idempotency_key)

    def seal(self, body: bytes) -> bytes:
        return self._fernet().encrypt(body) if self.sealed_with else body

    def open(self, body: bytes) -> bytes:
        try:
            return self._fernet().decrypt(body) if self.sealed_with else body
        except InvalidToken as error:
            raise Conflict(
                "This was done already. Its reply holds a secret, which is given again only to the secret that asked."
            ) from error

    def _fernet(self) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(hashlib.sha256(self.sealed_with.encode()).digest()))


class Claim:
    """The right to do it. Say `keep` with the reply; else the key is free again."""

    def __init__(self, asked: Asked, token: uuid.UUID) -> None:
        self.rows = asked.rows.filter(lease_token=token)
        self.asked = asked
        self.is_kept = False

    def keep(self, reply: Kept) -> None:
        self.rows.update(
            status=reply.status,
            headers=reply.headers,
            reply=self.asked.seal(reply.body),
            lease_until=None,
            finished_at=Now(),
        )
        self.is_kept = True


@contextmanager
def once(asked: Asked) -> Iterator[Claim | Kept]:
    """A claim, or the reply to give again. Raises DomainError for another request under the same key, and for one that
    is still being done after a while."""
    found = _claim_or_wait(asked)
    if isinstance(found, Kept):
        yield found
        return
    row = found.rows.get()
    try:
        with beating(Lease(IdempotentRequest, row.pk, "lease_token", row.lease_token)):
            yield found
    finally:
        if not found.is_kept:
            found.rows.delete()


def _claim_or_wait(asked: Asked) -> Claim | Kept:
    deadline = time.monotonic() + settings.IDEMPOTENCY_WAIT_SECONDS
    while True:
        if found := _claim(asked) or _kept(asked):
            return found
        if time.monotonic() > deadline:
            raise Conflict(
                "The same request is being done right now. Send it again in a moment for its reply.",
                code="request_in_progress",
                retry_after=2,
            )
        time.sleep(LOOK_EVERY_SECONDS)


def _claim(asked: Asked) -> Claim | None:
    token = uuid.uuid4()
    new = IdempotentRequest(
        workspace_id=asked.api_key.workspace_id,
        api_key=asked.api_key,
        idempotency_key=asked.idempotency_key,
        request_hash=asked.request_hash,
        lease_token=token,
        lease_until=lease_end(),
    )
    IdempotentRequest.objects.bulk_create([new], ignore_conflicts=True)
    claim = Claim(asked, token)
    if claim.rows.exists():
        return claim
    left_behind = asked.rows.filter(request_hash=asked.request_hash, lease_until__lt=Now())
    return claim if left_behind.update(lease_token=token, lease_until=lease_end()) else None


def _kept(asked: Asked) -> Kept | None:
    row = asked.rows.first()
    if row is None:
        return None
    if row.request_hash != asked.request_hash:
        raise key_reused()
    if row.reply is None or row.status is None:
        return None
    return Kept(row.status, asked.open(bytes(row.reply)), {**row.headers, "Idempotent-Replayed": "true"})


def key_reused() -> DomainError:
    return DomainError(
        "This Idempotency-Key was used before for another request. Use a new key for a new request.",
        code="idempotency_key_reused",
    )


def forget_old() -> int:
    """Replies that nobody can ask for any more."""
    oldest = Now() - timedelta(hours=settings.IDEMPOTENCY_KEEP_HOURS)
    return IdempotentRequest.objects.across_workspaces().filter(created_at__lt=oldest).delete()[0]
