"""Nights as staff see them: what tonight would do before it does it, what it did, and the ways to start and stop it."""

from __future__ import annotations

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from accounts.admin import HistoryAdmin
from accounts.dollars import round_usd
from accounts.models import Workspace
from generation.models import Night, NightItem
from generation.services import nights

MOST_PLANNED, MOST_PAST = 25, 50


def staff_nights(request: HttpRequest) -> HttpResponse:
    """The plan for tonight is computed as the page is asked for: a dry run that nothing comes of."""
    wanting = Workspace.objects.filter(night_cap_nanos__gt=0).select_related("plan")
    plans = [(workspace, nights.tonight(workspace), _url(workspace)) for workspace in wanting[:MOST_PLANNED]]
    starts_at, ends_at = nights.next_night()
    context = {
        **admin.site.each_context(request),
        "title": "Nights",
        "plans": plans,
        "wanting_count": wanting.count(),
        "text_count": sum(len(plan.items) for _, plan, _ in plans),
        "ceiling_nanos": sum(plan.ceiling_nanos for _, plan, _ in plans),
        "expected_nanos": sum(plan.expected_nanos for _, plan, _ in plans),
        "starts_at": starts_at,
        "ends_at": ends_at,
        "is_on": nights.is_on(),
        "sums": nights.sums_of(),
        "past": nights.figures_of(list(Night.objects.across_workspaces().select_related("workspace")[:MOST_PAST])),
        "nights_url": reverse("admin:generation_night_changelist"),
        "may_start": may_start(request),
    }
    return render(request, "admin/nights.html", context)


def _url(workspace: Workspace) -> str:
    return reverse("admin:accounts_workspace_change", args=[workspace.pk])


def may_start(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("generation.change_night"))


@require_POST
def staff_night_start(request: HttpRequest) -> HttpResponseRedirect:
    """One workspace's night, at once."""
    if not may_start(request):
        raise PermissionDenied
    workspace = Workspace.objects.filter(slug=request.POST.get("workspace", "")).first()
    if workspace is None:
        raise Http404
    nights.start_night(workspace)
    messages.success(request, f"{workspace} is being written ahead.")
    return redirect("staff_nights")


# For staff only, as everything below the admin site.
urlpatterns = [
    path("nights/", admin.site.admin_view(staff_nights), name="staff_nights"),
    path("nights/start/", admin.site.admin_view(staff_night_start), name="staff_night_start"),
]


@admin.register(Night)
class NightAdmin(HistoryAdmin):
    """Cost and savings, which take sums, stand on the page of nights."""

    list_display = ("__str__", "workspace", "state", "item_count", "most", "expected", "until", "failure")
    list_filter = ("state", "date")
    search_fields = ("workspace__slug", "workspace__name")
    actions = ("start", "cancel")

    @admin.display(description="At most", ordering="ceiling_nanos")
    def most(self, night: Night) -> str:
        return round_usd(night.ceiling_nanos)

    @admin.display(description="Expected to save", ordering="expected_nanos")
    def expected(self, night: Night) -> str:
        return round_usd(night.expected_nanos)

    @admin.action(description="Write the rest now, with what tonight's budget has left")
    def start(self, request: HttpRequest, chosen: QuerySet[Night]) -> None:
        for workspace in Workspace.objects.filter(pk__in=chosen.values("workspace")):
            nights.start_night(workspace)
        self.message_user(request, "Being written.", messages.SUCCESS)

    @admin.action(description="Cancel: what is not begun is let go")
    def cancel(self, request: HttpRequest, chosen: QuerySet[Night]) -> None:
        let_go = sum(nights.cancel_night(night) for night in chosen)
        self.message_user(request, f"{let_go} texts will not be written.", messages.SUCCESS)


@admin.register(NightItem)
class NightItemAdmin(HistoryAdmin):
    own_words = ("title",)
    list_display = ("title", "workspace", "night", "reason", "state", "attempt", "most", "cost", "failure")
    list_filter = ("state", "reason")
    list_select_related = ("workspace", "night")
    search_fields = ("workspace__slug", "title", "night__id")
    ordering = ("-created_at", "position")

    @admin.display(description="At most", ordering="ceiling_nanos")
    def most(self, item: NightItem) -> str:
        return round_usd(item.ceiling_nanos)

    @admin.display(description="Cost", ordering="cost_nanos")
    def cost(self, item: NightItem) -> str:
        return round_usd(item.cost_nanos)
