from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from billing import gateway
from billing.services import events


@csrf_exempt
@login_not_required
@require_POST
def stripe(request: HttpRequest) -> HttpResponse:
    """Stripe's doorbell: 200 once it is written down, 400 for what Stripe did not sign; anything else makes it come
    again."""
    try:
        events.receive(request.body, request.headers.get("Stripe-Signature", ""))
    except (gateway.BadSignature, ValueError, KeyError, TypeError):
        return HttpResponse(status=400)
    return HttpResponse(status=200)
