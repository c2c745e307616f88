"""Pages whose parts are asked for again by htmx."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect

from accounts.middleware import WorkspaceRequest


def render_page(
    request: WorkspaceRequest, template: str, context: dict[str, Any], *, part: str, status: int = 200
) -> HttpResponse:
    """The whole page, or for htmx its part: two replies at one address, so caches must keep them apart.

    Going back in the browser's history asks through htmx too, but for the whole page.
    """
    is_part = request.htmx and not request.htmx.history_restore_request
    response = render(request, f"{template}#{part}" if is_part else template, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def go_to(request: WorkspaceRequest, url: str) -> HttpResponse:
    """A redirect that htmx follows as a page, instead of swapping that page into a part of this one."""
    return HttpResponseClientRedirect(url) if request.htmx else HttpResponseRedirect(url)
