"""People of a workspace, coming in by an invitation, and workspaces themselves."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.account.utils import complete_signup
from allauth.core.exceptions import ImmediateHttpResponse
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts.forms import InvitedSignupForm, InviteForm, RoleForm, WorkspaceForm
from accounts.invitations import find_invitation, masked
from accounts.middleware import WorkspaceRequest
from accounts.models import ApiKey, Invitation, Membership, Role, Scope, TenantQuerySet, User
from accounts.permissions import MANAGED_ROLES, ROLE_WORDS, require_scope
from accounts.services import invitations, members
from accounts.services.workspaces import create_another_workspace, last_workspace, workspace_name
from contentopt.errors import DomainError

# --- People -----------------------------------------------------------------------------------------------------------


@require_scope(Scope.READ)
def people(request: WorkspaceRequest, slug: str) -> HttpResponse:
    return _people_page(request)


@require_POST
@require_scope(Scope.ADMIN)
def invite(request: WorkspaceRequest, slug: str) -> HttpResponse:
    form = InviteForm(request.POST, allowed=MANAGED_ROLES[request.membership.role])
    if form.is_valid():
        try:
            invitation = invitations.invite(actor=request.membership, **form.cleaned_data)
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, f"{invitation.email} is invited. The mail goes out now.")
            return redirect("people", slug)
    return _people_page(request, form)


@require_POST
@require_scope(Scope.ADMIN)
def invitation_resend(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    sent = invitations.resend(actor=request.membership, invitation=_find(Invitation.objects.all(), request, pk))
    messages.success(request, f"The mail to {sent.email} goes out again. Its link is good for seven days from now.")
    return redirect("people", slug)


@require_POST
@require_scope(Scope.ADMIN)
def invitation_revoke(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    found = _find(Invitation.objects.all(), request, pk)
    invitations.revoke_invitation(actor=request.membership, invitation=found)
    messages.success(request, f"The invitation of {found.email} is revoked: its link no longer works.")
    return redirect("people", slug)


@require_POST
@require_scope(Scope.ADMIN)
def member_role(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    form = RoleForm(request.POST)
    found = _find_member(request, pk)
    if not form.is_valid():
        raise Http404
    role = form.cleaned_data["role"]
    try:
        keys = members.change_role(actor=request.membership, membership=found, role=role)
    except DomainError as error:
        if not request.htmx:
            raise
        messages.error(request, error.message)  # on the page drawn anew, whose select shows what is so
    else:
        said = f"{found.user} is {Role(role).label.lower()} from now on.{_said_of(keys, 'they')}"
        messages.success(request, said)
    return redirect("people", slug)


@require_POST
@require_scope(Scope.ADMIN)
def member_remove(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    found = _find_member(request, pk)
    keys = members.remove_member(actor=request.membership, membership=found)
    messages.success(request, f"{found.user} is removed and has no access any more.{_said_of(keys, 'they')}")
    return redirect("people", slug)


@require_POST
@require_scope(Scope.BILLING)  # which only owners have
def member_own(request: WorkspaceRequest, slug: str, pk: str) -> HttpResponse:
    found, is_shared = _find_member(request, pk), "is_shared" in request.POST
    members.give_ownership(actor=request.membership, membership=found, is_shared=is_shared)
    messages.success(
        request, f"{found.user} is an owner now{', and so are you' if is_shared else '; you are an admin'}."
    )
    return redirect("people", slug)


@require_POST
@require_scope(Scope.READ)
def people_leave(request: WorkspaceRequest, slug: str) -> HttpResponse:
    keys = members.leave(request.membership)
    messages.success(request, f"You have left {request.workspace}.{_said_of(keys, 'you')}")
    return redirect("home")


def _said_of(keys: int, who: str) -> str:
    if not keys:
        return ""
    return (
        f" {keys} API keys that {who} had made are revoked." if keys > 1 else f" The API key {who} had made is revoked."
    )


def _people_page(request: WorkspaceRequest, form: InviteForm | None = None) -> HttpResponse:
    workspace, allowed = request.workspace, MANAGED_ROLES[request.membership.role]
    found = list(Membership.objects.in_workspace(workspace).select_related("user").order_by("user__email"))
    active = ApiKey.objects.in_workspace(workspace).filter(revoked_at=None)
    keys = {row["created_by"]: row["count"] for row in active.values("created_by").annotate(count=Count("pk"))}
    open_ones = Invitation.objects.in_workspace(workspace).open().select_related("invited_by")
    invited = list(open_ones) if allowed else []
    owners = sum(member.role == Role.OWNER for member in found)
    limit = members.seat_limit(workspace)
    taken = len(found) + sum(not each.is_expired for each in invited)
    context: dict[str, Any] = {
        "form": form or InviteForm(allowed=allowed),
        "rows": [
            {
                "member": member,
                "is_self": member.pk == request.membership.pk,
                "is_managed": member.role in allowed and member.pk != request.membership.pk,
                "keys": keys.get(member.user_id, 0),
            }
            for member in found
        ],
        "invited": invited,
        "roles": [(role.value, role.label) for role in Role if role != Role.OWNER],
        "role_words": [(role.label, ROLE_WORDS[role]) for role in reversed(Role)],
        "is_only_owner": request.membership.role == Role.OWNER and owners == 1,
        "own_keys": keys.get(request.user.pk, 0),
        "seat_limit": limit,
        "is_full": limit is not None and taken >= limit,
        "is_confirmed": EmailAddress.objects.filter(user=request.user, verified=True).exists(),
    }
    return render(request, "accounts/people.html", context, status=422 if form and form.errors else 200)


def _find(rows: TenantQuerySet[Any], request: WorkspaceRequest, pk: str) -> Any:
    found = rows.in_workspace(request.workspace).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _find_member(request: WorkspaceRequest, pk: str) -> Membership:
    member: Membership = _find(Membership.objects.select_related("user", "workspace"), request, pk)
    return member


# --- Coming in --------------------------------------------------------------------------------------------------------


@never_cache
@login_not_required
@sensitive_post_parameters("password1")
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """What a link in a mail leads to, for whoever holds it; only the invited address gets in."""
    found = find_invitation(token)
    if found is None:
        return render(request, "accounts/invitation.html", status=404)
    user = request.user
    if not user.is_authenticated:
        return _invited_visitor(request, found)
    if found.state == Invitation.State.ACCEPTED and found.accepted_by_id == user.pk:
        return redirect("workspace_home", found.workspace.slug)
    if not invitations.is_theirs(found, user):
        context = {"invitation": found, "other": masked(found.email)}
        return render(request, "accounts/invitation.html", context, status=403)
    if closed := invitations.closed_words(found):
        return _closed(request, found, closed)
    if request.method == "POST":
        return _accept(request, found, user)
    return render(request, "accounts/invitation.html", {"invitation": found, "is_theirs": True})


def _accept(request: HttpRequest, found: Invitation, user: User) -> HttpResponse:
    try:
        member = invitations.accept(invitation=found, user=user)
    except DomainError as error:
        context = {"invitation": found, "error": error, "is_theirs": True}
        return render(request, "accounts/invitation.html", context, status=error.status)
    messages.success(request, f"You are in {found.workspace} as {member.get_role_display().lower()}.")
    return redirect("workspace_home", found.workspace.slug)


def _invited_visitor(request: HttpRequest, found: Invitation) -> HttpResponse:
    """Who has an account signs in and comes back; who has none makes one here, with nothing but a password."""
    if closed := invitations.closed_words(found):
        return _closed(request, found, closed)
    if _has_account(found.email):
        return render(request, "accounts/invitation.html", {"invitation": found, "sign_in": True})
    form = InvitedSignupForm(request.POST or None, email=found.email)
    if request.method == "POST" and form.is_valid():
        try:
            return _sign_up(request, found, form)
        except DomainError as error:
            form.add_error(None, error.message)
    status = 422 if form.errors else 200
    return render(request, "accounts/invitation.html", {"invitation": found, "form": form}, status=status)


def _sign_up(request: HttpRequest, found: Invitation, form: InvitedSignupForm) -> HttpResponse:
    """Both or nothing: no account is left behind where there was no seat. The link came by mail, so the address is
    confirmed."""
    with transaction.atomic():
        get_adapter().stash_verified_email(request, found.email)
        user, _ = form.try_save(request)
        if user is None:  # an account with the address was made a moment ago
            return redirect(request.path)
        invitations.accept(invitation=found, user=user)
    messages.success(request, f"Welcome to {found.workspace}.")
    home = reverse("workspace_home", args=[found.workspace.slug])
    response: HttpResponse
    try:
        response = complete_signup(request, user, email_verification=None, success_url=home)
    except ImmediateHttpResponse as error:
        response = error.response
    return response


def _has_account(email: str) -> bool:
    return User.objects.filter(
        Q(email__iexact=email) | Q(emailaddress__email__iexact=email, emailaddress__verified=True)
    ).exists()


def _closed(request: HttpRequest, found: Invitation, words: str) -> HttpResponse:
    return render(request, "accounts/invitation.html", {"invitation": found, "closed": words}, status=410)


# --- Workspaces -------------------------------------------------------------------------------------------------------


def workspace_new(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    form = WorkspaceForm(request.POST or None, initial={"name": workspace_name(user.email)})
    if request.method == "POST" and form.is_valid():
        name, has_sample = form.cleaned_data["name"], form.cleaned_data["has_sample"]
        try:
            made = create_another_workspace(owner=user, name=name, with_sample_shop=has_sample)
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            return redirect("workspace_home", made.slug)
    context = {"form": form, "is_first_workspace": last_workspace(user) is None}
    return render(request, "accounts/workspace_new.html", context, status=422 if form.errors else 200)
