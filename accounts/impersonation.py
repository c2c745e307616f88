"""Staff who see the product as somebody else does, in order to help them.

The session stays the staff's own. It carries the id of a row that says as whom, why and until when, and every request
looks at that row: ending it, or either person's account, takes effect with the next click. It is an editor's rights
at most: whatever changes keys, members, plan, payment or how somebody signs in is refused.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import Impersonation, User
from accounts.signals import impersonation_began, impersonation_ended
from contentopt.errors import NotAllowed

SESSION_KEY = "impersonation"


@transaction.atomic
def begin_impersonation(*, staff: User, user: User, reason: str) -> Impersonation:
    """Whatever the same person had begun before ends with it."""
    if not (staff.is_active and staff.has_perm("accounts.add_impersonation")):
        raise NotAllowed("You may not see the product as somebody else. Ask whoever gives rights to the staff.")
    if user.is_staff or user.is_superuser or not user.is_active:
        raise NotAllowed(f"{user} is a member of the staff or switched off; nobody can act in that name.")
    User.objects.select_for_update().get(pk=staff.pk)  # two clicks at once: the second ends what the first began
    for open_one in Impersonation.objects.filter(staff=staff, ended_at=None):
        end_impersonation(open_one)
    began = timezone.now()
    expires = began + timedelta(minutes=settings.IMPERSONATION_MINUTES)
    impersonation = Impersonation.objects.create(
        staff=staff, user=user, reason=reason, began_at=began, expires_at=expires
    )
    impersonation_began.send(Impersonation, impersonation=impersonation)
    return impersonation


@transaction.atomic
def end_impersonation(impersonation: Impersonation) -> None:
    """Once, however often it is asked for."""
    ended = min(timezone.now(), impersonation.expires_at)
    if Impersonation.objects.filter(pk=impersonation.pk, ended_at=None).update(ended_at=ended):
        impersonation.ended_at = ended
        impersonation_ended.send(Impersonation, impersonation=impersonation)


def end_expired() -> None:
    """Of those who closed the browser and never came back."""
    for impersonation in Impersonation.objects.filter(ended_at=None, expires_at__lte=timezone.now()):
        end_impersonation(impersonation)


def enter(request: HttpRequest, impersonation: Impersonation) -> None:
    """A new session key, so that nobody who knew the old one comes along."""
    request.session.cycle_key()
    request.session[SESSION_KEY] = str(impersonation.pk)


def leave(request: HttpRequest) -> None:
    if request.session.pop(SESSION_KEY, None):
        request.session.cycle_key()


def current_impersonation(request: HttpRequest) -> Impersonation | None:
    """What the session says, while it holds. What does not hold any more is ended, and the session is the staff's."""
    impersonation_id = request.session.get(SESSION_KEY)
    if impersonation_id is None:
        return None
    found = Impersonation.objects.filter(pk=impersonation_id).select_related("staff", "user").first()
    if found is not None and _holds(found, request):
        return found
    if found is not None:
        end_impersonation(found)
    leave(request)
    return None


def _holds(impersonation: Impersonation, request: HttpRequest) -> bool:
    staff, user = impersonation.staff, impersonation.user
    return (
        impersonation.is_running
        and staff.pk == request.user.pk
        and staff.is_active
        and staff.is_staff
        and user.is_active
        and not user.is_staff
    )
