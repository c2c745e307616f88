"""A POST under an Idempotency-Key is done once; whoever repeats it gets the same reply."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.idempotency import Asked, Kept, once
from generation.api.base import WorkspaceAPIView, rendered

KEPT_HEADERS = ("Location", "Content-Location", "ETag")


def repeatable(handler: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(handler)
    def done_once(view: WorkspaceAPIView, request: Request, *args: Any, **named: Any) -> Any:
        key = view.idempotency_key()
        # What is told as it is written is repeated by its stream, or the text that came of it.
        if key is None or view.is_told_as_events:
            return handler(view, request, *args, **named)
        sealed_with = request.headers["Authorization"] if view.is_reply_secret else ""
        with once(Asked(view.workspace.pk, view.key, key, request_hash(request), sealed_with)) as found:
            if isinstance(found, Kept):
                return HttpResponse(found.body, status=found.status, headers=found.headers)
            with transaction.atomic() if view.is_kept_with_its_work else nullcontext():
                response = handler(view, request, *args, **named)
                reply = rendered(response) if isinstance(response, Response) else response
                headers = {name: reply[name] for name in ("Content-Type", *KEPT_HEADERS) if name in reply}
                found.keep(Kept(reply.status_code, reply.content, headers))
            return reply

    return done_once


def request_hash(request: Request) -> str:
    """Of what is asked for, however it is spelt: other spacing of the JSON or another boundary is the same request."""
    data: Any = request.data
    if request.FILES:
        data = {name: _digest(value) if isinstance(value, UploadedFile) else value for name, value in data.items()}
    asked = [request.method, request.path, sorted(request.query_params.items()), data]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _digest(file: Any) -> list[str]:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return [file.name or "", digest.hexdigest()]
