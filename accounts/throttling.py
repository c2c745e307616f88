"""Who may ask how often: a burst a minute and a number in 24 hours, for workspaces, members, API keys and visitors.

A workspace has its plan's limits. Once its last hour holds as many requests as a LimitStep of the plan says, the burst
shrinks to that step's part. A key or member may have limits of its own below that. Reads (GET) have a burst of their
own, ten times as wide, and do not touch the day. Every request is one atomic step in Redis (see accounts.windows): it
counts for everybody it concerns or, refused, for nobody.

Without Redis, down or hung, requests are served all the same: each web process then counts by itself, in windows just
as sliding, and admits its share, which is the limit divided by the web processes of a machine, rounded up. Headers
tell that share. The worst that losing or regaining Redis can do is to grant the allowance once more; money is not
counted here, and stays exact.
"""

from __future__ import annotations

import functools
import ipaddress
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.cache import cache
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django_redis import get_redis_connection
from redis.exceptions import RedisError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.models import ApiKey, LimitStep, Membership, Plan, Workspace
from accounts.windows import Limit, LimitName, LocalWindows, Subject, read_taken, take_in_redis
from contentopt.errors import RateLimited
from contentopt.fuse import NotAsked

log = structlog.get_logger()

READS_FOR_ONE_WRITE = 10
STEPS_SECONDS = 15  # how long a process may go on with limit steps that staff have changed
IPV6_PREFIX = 64  # one household or server has at least so many addresses

Steps = dict[str, tuple[tuple[int, int], ...]]  # of every plan

local_windows = LocalWindows()


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left after a request was counted or refused. Without any limit, nothing is said of limits."""

    allowed: bool
    limits: tuple[Limit, ...] = ()
    is_local: bool = False  # counted by this process alone

    def headers(self) -> dict[str, str]:
        """The fields of the IETF draft `RateLimit header fields for HTTP`."""
        if not self.limits:
            return {}
        named = [(_header_name(limit), limit) for limit in self.limits]
        return {
            "RateLimit-Policy": ", ".join(f'"{name}";q={limit.limit};w={limit.window}' for name, limit in named),
            "RateLimit": ", ".join(f'"{name}";r={limit.left};t={math.ceil(limit.wait)}' for name, limit in named),
        }

    def remaining(self) -> dict[str, int | None]:
        return {"minute": self._left("burst"), "day": self._left("day")}

    def _left(self, name: LimitName) -> int | None:
        return min((limit.left for limit in self.limits if limit.name == name), default=None)

    def refused_by(self) -> Limit:
        """The limit that takes longest to make room again: before that, another try is in vain."""
        full = [limit for limit in self.limits if limit.subject.is_counted and not limit.left]
        return max(full, key=lambda limit: limit.wait)


def _header_name(limit: Limit) -> str:
    return limit.name if limit.subject.scope in ("workspace", "visitor") else f"{limit.subject.scope}-{limit.name}"


def take(tag: str, subjects: Sequence[Subject]) -> Allowance:
    """Count one request. `tag` names what the subjects have in common: it keeps them on one shard of a cluster."""
    limited = [subject for subject in subjects if subject.is_limited]
    if not limited:
        return Allowance(allowed=True)
    try:
        taken = take_in_redis(get_redis_connection("default"), window_prefix(tag), limited)
    except RedisError as error:
        if not isinstance(error, NotAsked):
            log.warning("limits_counted_locally", error=type(error).__name__)
        shares = [subject.share(settings.WEB_WORKERS) for subject in limited]
        taken = local_windows.take(shares, time.monotonic())
        return Allowance(taken.is_admitted, taken.limits, is_local=True)
    return Allowance(taken.is_admitted, taken.limits)


def read_allowance(taken: Sequence[int], limited: Sequence[Subject]) -> Allowance:
    """Of a reply of lua/take.lua; empty when nobody has a limit."""
    if not taken:
        return Allowance(allowed=True)
    read = read_taken(taken, limited)
    return Allowance(read.is_admitted, read.limits)


def window_prefix(tag: str) -> str:
    prefix: str = cache.make_key(f"limit:{{{tag}}}:")
    return prefix


def take_for_member(membership: Membership) -> Allowance:
    """For a page that writes."""
    return take(str(membership.workspace_id), [of_workspace(membership.workspace), of_member(membership)])


def take_for_caller(caller: ApiKey | Membership, *, is_read: bool) -> Allowance:
    """For a request to the API, made with a key or for a person."""
    subjects = list(of_request(caller))
    if is_read:
        reads = [replace(s, burst_name="reads", burst=_reads(s.burst), daily=None, steps=()) for s in subjects]
        subjects = [replace(subject, is_counted=False) for subject in subjects] + reads
    return take(str(caller.workspace_id), subjects)


def take_for_invitation(sender: Membership, address: str) -> None:
    """A mail to somebody who has not asked for it: so many of each person, wherever they invite, of each workspace, and
    to each `address` (or a digest of it), whoever invites. Raises RateLimited."""
    for subject in (
        Subject("inviter", str(sender.user_id), "You have sent", burst=10, daily=50),
        Subject("inviting", str(sender.workspace_id), f"{sender.workspace} has sent", burst=10, daily=50),
        Subject("invited", address, "This address was sent", burst=3, daily=5),
    ):
        allowance = take(subject.id, [subject])
        if not allowance.allowed:
            limit = allowance.refused_by()
            wait = max(math.ceil(limit.wait), 1)
            again = "tomorrow" if limit.name == "day" else f"in {wait} s"
            words = f"{subject.label} as many invitations as we send in that time. Nothing was sent; try again {again}."
            raise RateLimited(words, retry_after=wait)


def of_request(caller: ApiKey | Membership, steps: Steps | None = None) -> tuple[Subject, ...]:
    """Whom a request that writes counts for."""
    own = of_key(caller) if isinstance(caller, ApiKey) else of_member(caller)
    return of_workspace(caller.workspace, steps), own


def _reads(burst: int | None) -> int | None:
    return None if burst is None else burst * READS_FOR_ONE_WRITE


def of_workspace(workspace: Workspace, steps: Steps | None = None) -> Subject:
    plan = workspace.plan
    if steps is None:
        steps = steps_at(int(time.monotonic() // STEPS_SECONDS))
    return Subject(
        "workspace",
        str(workspace.pk),
        f"the {plan} plan",
        burst=plan.burst_per_minute,
        daily=plan.requests_per_day,
        steps=steps.get(plan.pk, ()),
        plans_above=plan.position,
    )


def of_key(key: ApiKey) -> Subject:
    return Subject("key", str(key.pk), "this API key", burst=key.burst_per_minute, daily=key.requests_per_day)


def of_member(membership: Membership) -> Subject:
    burst, daily = membership.burst_per_minute, membership.requests_per_day
    return Subject("member", str(membership.user_id), "your own limit here", burst=burst, daily=daily)


@functools.lru_cache(maxsize=1)
def steps_at(_slot: int) -> Steps:
    """A query a process and slot of time, instead of one a request."""
    return read_steps()


def read_steps() -> Steps:
    steps: Steps = {}
    for step in LimitStep.objects.order_by("requests_in_hour"):
        steps[step.plan_id] = (*steps.get(step.plan_id, ()), (step.requests_in_hour, step.burst_percent))
    return steps


def limit_visitor(request: HttpRequest, *, burst: int, daily: int) -> Allowance:
    """For pages that work without signing in: one address, one allowance. Only trusted proxies may say whose."""
    network = network_of(request)
    subject = Subject("visitor", network, "trying without an account", burst=burst, daily=daily, plans_above=-1)
    allowance = take(network, [subject])
    if not allowance.allowed:
        raise refuse(allowance)
    return allowance


def network_of(request: HttpRequest) -> str:
    """The address a request comes from; of IPv6 the network, since one household has as many as it likes."""
    parsed = ipaddress.ip_address(get_adapter().get_client_ip(request))
    if isinstance(parsed, ipaddress.IPv6Address) and not parsed.ipv4_mapped:
        return str(ipaddress.ip_network((parsed, IPV6_PREFIX), strict=False))
    return str(parsed)


UNITS: dict[LimitName, str] = {
    "burst": "request{s} a minute",
    "reads": "read{s} a minute",
    "day": "request{s} in 24 hours",
}


def refuse(allowance: Allowance) -> RateLimited:
    """Which limit of whom, when it makes room again, and which plan has more."""
    limit = allowance.refused_by()
    wait = max(math.ceil(limit.wait), 1)
    resets_at = timezone.now() + timedelta(seconds=wait)
    plan = _lifting_plan(limit)
    sentences = [_what(limit, is_local=allowance.is_local), _when(limit, wait, resets_at), _what_helps(limit, plan)]
    details = {
        "limit": limit.name,
        "scope": limit.subject.scope,
        "retry_after": wait,
        "resets_at": resets_at.isoformat(timespec="seconds"),
        "lifted_by": plan.slug if plan else None,
    }
    return RateLimited(" ".join(filter(None, sentences)), details=details, retry_after=wait)


def _amount(number: int, name: LimitName) -> str:
    return f"{number:,} {UNITS[name].format(s='' if number == 1 else 's')}"


def _what(limit: Limit, *, is_local: bool) -> str:
    label, amount = limit.subject.label, _amount(limit.limit, limit.name)
    if is_local:
        return f"Our counter is away, so for now {label} allows a share of its limit here: {amount}."
    if limit.name == "burst" and limit.limit < (limit.subject.burst or 0):
        hour = f"There were {limit.used_in_hour:,} requests in the last hour"
        return f"{hour}, so {label} allows {amount} for now instead of {limit.subject.burst:,}."
    return f"{label[0].upper()}{label[1:]} allows {amount}, and they are used."


def _when(limit: Limit, wait: int, resets_at: datetime) -> str:
    if limit.name == "day":
        return f"The next one is free on {resets_at:%-d %B at %H:%M} UTC."
    return f"Try again in {wait} s."


def _what_helps(limit: Limit, plan: Plan | None) -> str:
    if limit.subject.scope == "key":
        return "An admin of the workspace can change the key's limits."
    if limit.subject.scope == "member":
        return "An owner of the workspace can change it."
    if plan is None:
        return ""
    more = _limit_of(plan, limit.name)
    return f"The {plan} plan allows {more:,}." if more is not None else f"The {plan} plan has no such limit."


def _limit_of(plan: Plan, name: LimitName) -> int | None:
    if name == "day":
        return plan.requests_per_day
    return _reads(plan.burst_per_minute) if name == "reads" else plan.burst_per_minute


def _lifting_plan(limit: Limit) -> Plan | None:
    """The first plan for sale above theirs that has more of this."""
    subject = limit.subject
    if subject.plans_above is None:
        return None
    above = Plan.objects.filter(is_public=True, position__gt=subject.plans_above)
    if limit.name == "day":
        return above.filter(Q(requests_per_day=None) | Q(requests_per_day__gt=subject.daily)).first()
    burst = (subject.burst or 0) // (READS_FOR_ONE_WRITE if limit.name == "reads" else 1)
    return above.filter(Q(burst_per_minute=None) | Q(burst_per_minute__gt=burst)).first()


class PlanThrottle(BaseThrottle):
    """Counts an API request, once, and leaves the allowance on the request for the reply."""

    def allow_request(self, request: Request, _view: object) -> bool:
        caller: Any = request.auth
        if caller is None:
            return True
        # Once: DRF asks twice, and generation.api.known may have counted it before DRF saw it.
        allowance = getattr(request, "allowance", None) or take_for_caller(
            caller, is_read=request.method in SAFE_METHODS
        )
        request.allowance = allowance  # type: ignore[attr-defined]
        if not allowance.allowed:
            raise refuse(allowance)
        return True
