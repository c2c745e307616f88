from __future__ import annotations

from functools import partial

from django.http import HttpResponse

from accounts.middleware import WorkspaceRequest
from accounts.models import Scope
from accounts.permissions import require_scope
from generation.services import nights
from generation.views.partials import render_page

MOST_SHOWN = 30


@require_scope(Scope.READ)
def usage_nights(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """What past nights wrote, cost and saved; for htmx what the coming one would write, which takes a moment."""
    starts_at, ends_at = nights.next_night()
    context = {
        "sums": partial(nights.sums_of, request.workspace),
        "past": partial(nights.past_nights, request.workspace, MOST_SHOWN),
        "tonight": partial(nights.tonight, request.workspace),
        "starts_at": starts_at,
        "ends_at": ends_at,
    }
    return render_page(request, "usage/nights.html", context, part="tonight")
