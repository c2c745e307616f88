from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from accounts.models import Plan
from accounts.services.workspaces import last_workspace
from generation.services.metrics import CONTENT_TYPE, exposition

UNSTORED = {"Cache-Control": "no-store"}


@login_not_required
def home(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        if workspace := last_workspace(request.user):
            return redirect("workspace_home", workspace.slug)
        return redirect("admin:index" if request.user.is_staff else "workspace_new")
    return render(request, "home/landing.html", {"plans": Plan.objects.filter(is_public=True)})


@login_not_required
def health(_request: HttpRequest) -> JsonResponse:
    """200 while PostgreSQL answers; Redis is reported, not required."""
    checks = {"postgres": _postgres_answers(), "redis": _redis_answers()}
    return JsonResponse(checks, status=200 if checks["postgres"] else 503)


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus, which presents METRICS_TOKEN. Without one set there is no such page."""
    scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
    if not settings.METRICS_TOKEN:
        raise Http404
    if scheme.lower() != "bearer" or not constant_time_compare(presented.strip(), settings.METRICS_TOKEN):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer", **UNSTORED})
    return HttpResponse(exposition(), content_type=CONTENT_TYPE, headers=UNSTORED)


def _postgres_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _redis_answers() -> bool:
    try:
        return bool(get_redis_connection("default").ping())
    except RedisError:
        return False


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith("/api/"):
        body = {"error": {"code": "bad_request", "message": "This request cannot be understood.", "details": {}}}
        return JsonResponse(body, status=400)
    return render(request, "400.html", status=400)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    request_id = request.META.get("contentopt.request_id", "")
    if request.path.startswith("/api/"):
        message = "Something broke on our side. Try again, or write to support with the request id."
        body = {"error": {"code": "server_error", "message": message, "details": {"request_id": request_id}}}
        return JsonResponse(body, status=500)
    return render(request, "500.html", {"request_id": request_id}, status=500)
