"""What `benchmarks.hit` compares with: a view that does nothing, and one with DRF and two look-ups in Valkey."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

from contentopt.front import Front

get_wsgi_application()
settings.ROOT_URLCONF, settings.MIDDLEWARE = __name__, []
application = Front(WSGIHandler(), threads=8)

from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

TEXT = {"id": "0", "text": "x" * 800}


def nothing(_request: HttpRequest) -> JsonResponse:
    return JsonResponse(TEXT)


class TwoLookUps(APIView):
    authentication_classes: Any = []
    permission_classes: Any = []
    throttle_classes: Any = []

    def post(self, request: Request) -> Response:
        token = request.headers["Authorization"]
        body = hashlib.sha256(json.dumps(request.data, sort_keys=True).encode()).hexdigest()
        return Response({**TEXT, "account": cache.get(f"token:{token}"), "entry": cache.get(f"entry:{body}")})


urlpatterns = [path("nothing", nothing), path("two-look-ups", TwoLookUps.as_view())]
