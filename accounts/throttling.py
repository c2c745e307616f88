"""Burst and daily limits, checked and counted in one atomic step in Valkey/Redis.

Burst is GCRA, so a window's edge admits no double helping. Without Redis requests are served and not counted: these
limits protect the service, not the purse.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import structlog
from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest
from django_redis import get_redis_connection
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.models import Workspace
from contentopt.errors import RateLimited

log = structlog.get_logger()

DAY = 86400

# KEYS: burst, day. ARGV: now, burst per minute, per day, seconds left of the day. A limit of 0 means none.
# Replies: allowed, left in the burst, left today, seconds until the next try. Nothing is counted on a refusal.
_TAKE = """
local now, burst, daily, day_left = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local burst_left, day_left_count = -1, -1
local tat, step = 0, 0
if daily > 0 then
  local used = tonumber(redis.call('GET', KEYS[2]) or '0')
  if used >= daily then return {0, -1, 0, day_left} end
  day_left_count = daily - used - 1
end
if burst > 0 then
  step = 60 / burst
  tat = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
  local earliest = tat + step - 60
  if earliest > now then
    if daily > 0 then day_left_count = day_left_count + 1 end
    return {0, 0, day_left_count, math.ceil(earliest - now)}
  end
  redis.call('SET', KEYS[1], string.format('%.6f', tat + step), 'EX', 61)
  burst_left = math.floor((60 - (tat + step - now)) / step + 0.000001)
end
if daily > 0 then
  redis.call('INCR', KEYS[2])
  redis.call('EXPIRE', KEYS[2], day_left + 60)
end
return {1, burst_left, day_left_count, 0}
"""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left after a request was counted; None where there is no such limit or it is not known."""

    allowed: bool
    burst_limit: int | None = None
    burst_left: int | None = None
    daily_limit: int | None = None
    daily_left: int | None = None
    retry_after: int = 0

    def headers(self) -> dict[str, str]:
        """The fields of the IETF draft `RateLimit headers for HTTP`."""
        limits = [("burst", self.burst_limit, self.burst_left, 60), ("day", self.daily_limit, self.daily_left, DAY)]
        known = [(name, limit, left, window) for name, limit, left, window in limits if limit and left is not None]
        if not known:
            return {}
        return {
            "RateLimit-Policy": ", ".join(f'"{name}";q={limit};w={window}' for name, limit, _, window in known),
            "RateLimit": ", ".join(f'"{name}";r={left}' for name, _, left, _ in known),
        }

    def remaining(self) -> dict[str, int | None]:
        return {"minute": self.burst_left, "day": self.daily_left}


def take(who: str, *, burst: int | None, daily: int | None) -> Allowance:
    now = time.time()
    # The braces keep both keys on one shard of a cluster.
    keys = [cache.make_key(f"limit:{{{who}}}:{window}") for window in ("burst", int(now // DAY))]
    try:
        redis = get_redis_connection("default")
        reply: Any = redis.eval(_TAKE, 2, *keys, now, burst or 0, daily or 0, int(DAY - now % DAY))
    except RedisError as error:
        log.warning("limits_not_counted", error=type(error).__name__)
        return Allowance(allowed=True)
    allowed, burst_left, daily_left, retry_after = (int(number) for number in reply)
    return Allowance(
        allowed=bool(allowed),
        burst_limit=burst,
        burst_left=burst_left if burst_left >= 0 else None,
        daily_limit=daily,
        daily_left=daily_left if daily_left >= 0 else None,
        retry_after=retry_after,
    )


def take_for_workspace(workspace: Workspace) -> Allowance:
    plan = workspace.plan
    return take(f"workspace:{workspace.pk}", burst=plan.burst_per_minute, daily=plan.requests_per_day)


def refuse(allowance: Allowance, subject: str) -> RateLimited:
    if allowance.daily_left == 0:
        message = (
            f"{subject} allows {allowance.daily_limit} requests a day, and today's are used. It resets at 00:00 UTC."
        )
    else:
        message = f"{subject} allows {allowance.burst_limit} requests a minute. Try again in {allowance.retry_after} s."
    details = {"limit": "day" if allowance.daily_left == 0 else "burst", "retry_after": allowance.retry_after}
    return RateLimited(message, details=details, retry_after=allowance.retry_after)


class PlanThrottle(BaseThrottle):
    """Counts an API request against its workspace's plan, and leaves the allowance on the request for the reply."""

    def allow_request(self, request: Request, _view: object) -> bool:
        key: Any = request.auth
        if key is None:
            return True
        workspace: Workspace = key.workspace
        allowance = take_for_workspace(workspace)
        request.allowance = allowance  # type: ignore[attr-defined]
        if not allowance.allowed:
            raise refuse(allowance, f"The {workspace.plan} plan")
        return True


def limit_visitor(request: HttpRequest, *, burst: int, daily: int) -> Allowance:
    """For pages that work without signing in: one address, one allowance. Only trusted proxies may say whose."""
    allowance = take(f"visitor:{get_adapter().get_client_ip(request)}", burst=burst, daily=daily)
    if not allowance.allowed:
        raise refuse(allowance, "Trying without an account")
    return allowance
