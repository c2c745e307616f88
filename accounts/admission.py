"""Who was let in, for a reply that goes on after the request: asked again while it does."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import ApiKey, Membership


@dataclass(frozen=True, slots=True)
class Admission:
    """As a member, or with a key; a visitor, who reads what anybody may, as neither."""

    membership_id: UUID | None = None
    key_id: UUID | None = None


def ended(admissions: Collection[Admission]) -> set[Admission]:
    """Those that would be refused now."""
    members = {each.membership_id for each in admissions if each.membership_id}
    keys = {each.key_id for each in admissions if each.key_id}
    if members:
        found = Membership.objects.across_workspaces().filter(pk__in=members, user__is_active=True)
        members -= set(found.values_list("pk", flat=True))
    if keys:
        in_time = Q(expires_at=None) | Q(expires_at__gt=Now())
        active = ApiKey.objects.across_workspaces().filter(in_time, pk__in=keys, revoked_at=None)
        keys -= set(active.values_list("pk", flat=True))
    return {each for each in admissions if each.membership_id in members or each.key_id in keys}
