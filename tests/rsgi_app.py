"""A small Django site behind the web process's own front, for `tests/test_rsgi.py`; two threads."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections.abc import AsyncGenerator, Iterator
from itertools import repeat

from django.conf import settings

settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="test",
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    DEBUG=False,
)

from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse  # noqa: E402
from django.urls import re_path  # noqa: E402

from contentopt.events import EventStream  # noqa: E402
from contentopt.front import Front  # noqa: E402

get_wsgi_application()
open_streams = 0


def told(request: HttpRequest) -> HttpResponse:
    """What Django saw of the request."""
    headers = dict(request.headers.items())
    body = hashlib.sha256(request.read()).hexdigest()
    told = {"method": request.method, "path": request.path, "query": request.GET.dict(), "headers": headers}
    response = JsonResponse({**told, "cookies": request.COOKIES, "address": request.META["REMOTE_ADDR"], "body": body})
    response.set_cookie("first", "1")
    response.set_cookie("second", "2")
    return response


def refuse(request: HttpRequest) -> HttpResponse:
    """Without a look at the body."""
    return HttpResponse("too large", status=413)


def parts(request: HttpRequest) -> StreamingHttpResponse:
    def count() -> Iterator[str]:
        for number in range(1000):
            yield f"{number}\n"

    return StreamingHttpResponse(count())


def endless(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(repeat("x" * 1000))


def events(request: HttpRequest) -> EventStream:
    async def tick() -> AsyncGenerator[bytes, None]:
        global open_streams
        open_streams += 1
        try:
            for number in range(int(request.GET["count"])):
                yield f"id: {number}\n\n".encode()
                await asyncio.sleep(float(request.GET["every"]))
        finally:
            open_streams -= 1

    return EventStream(tick)


def streams(request: HttpRequest) -> HttpResponse:
    return HttpResponse(json.dumps(open_streams))


two_at_once = threading.Barrier(2, timeout=15)


def meet(request: HttpRequest) -> HttpResponse:
    """Answers once there are two of them."""
    two_at_once.wait()
    return HttpResponse("met")


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a view that breaks")


urlpatterns = [
    re_path("^told/", told),
    re_path("^refuse$", refuse),
    re_path("^parts$", parts),
    re_path("^endless$", endless),
    re_path("^events$", events),
    re_path("^streams$", streams),
    re_path("^meet$", meet),
    re_path("^broken$", broken),
]
application = Front(WSGIHandler(), threads=2)
