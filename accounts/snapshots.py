"""An API key with its workspace, plan and limits, as a process remembers it for requests that must not ask PostgreSQL.

`accounts.stamps` says why what is remembered is never wrong; expiry is looked at each time. Secrets
are never remembered, only the digest that the row has. A key that is unknown, expired, revoked or presented wrongly is
not remembered at all, and is refused the ordinary way. Nor is one that has two secrets: the ordinary way notes which of
them is still used.
"""

from __future__ import annotations

from dataclasses import dataclass

from accounts.authentication import find_key, matching_secret
from accounts.models import ApiKey
from accounts.stamps import Remembered, Stamped
from accounts.throttling import of_request, read_steps, window_prefix
from accounts.windows import Subject, window_keys, window_question

MOST = 10_000
PLANS = "account:plans"


@dataclass(frozen=True, slots=True)
class Account:
    key: ApiKey
    subjects: tuple[Subject, ...]  # that have limits, for a request that writes
    window_keys: tuple[str, ...]
    window_question: str  # as lua/take.lua takes it; empty without limits


_accounts: Remembered[str, Account] = Remembered(MOST)


def find_account(presented: str) -> Stamped[Account] | None:
    """Of the active key that was presented, unless it is being rotated. Raises RedisError."""
    prefix, _, secret = presented.partition(".")
    remembered = _accounts.find(prefix)
    if remembered:
        return remembered if matching_secret(remembered.value.key, secret) else None
    key = find_key(presented)
    if key is None or key.is_rotating:
        return None
    # The key said which stamp to look for. What counts is read anew, now that the stamp is there.
    return _accounts.load(prefix, (f"account:{key.workspace_id}", PLANS), lambda: _read(presented))


def forget_account(account: Account) -> None:
    _accounts.forget(account.key.prefix)


def _read(presented: str) -> Account | None:
    key = find_key(presented)
    if key is None or key.is_rotating:
        return None
    limited = tuple(subject for subject in of_request(key, read_steps()) if subject.is_limited)
    keys = window_keys(window_prefix(str(key.workspace_id)), limited)
    return Account(key, limited, tuple(keys), window_question(limited) if limited else "")
