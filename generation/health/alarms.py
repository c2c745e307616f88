"""What only staff can put right: a key that is refused, a model that is not there, a request that is not understood.

It is marked on the model and mailed once, until the model answers again or somebody of the staff has seen to it.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models.functions import Now
from django.urls import reverse

from accounts.notices import tell_staff
from generation.llm.errors import LlmError
from generation.llm.types import ModelSpec
from generation.models import LlmModel

CAUSES = {
    "auth": "It does not accept our key, or the account behind it.",
    "not_found": "It does not know the model, or our account may not use it.",
    "bad_request": "It does not accept what we send.",
}


def is_alarming(error: LlmError) -> bool:
    return error.kind in CAUSES


@transaction.atomic
def raise_alarm(spec: ModelSpec, error: LlmError) -> None:
    refused = LlmModel.objects.filter(provider_id=spec.provider, model_id=spec.model_id)
    if not refused.filter(refused_at=None).update(refused_at=Now(), refusal=error.message[:200]):
        return
    model = refused.get()
    tell_staff(
        topic=f"model/{model.pk}/{model.refused_at:%Y-%m-%dT%H:%M:%S.%f}",
        subject=f"{model.model_id} refuses us",
        text=f"{error.message} {CAUSES[error.kind]}\n\nOther models of the route write meanwhile, where there are any; "
        "without one, requests are answered 503 and runs wait.",
        path=reverse("admin:generation_llmmodel_change", args=[model.pk]),
    )


def clear_alarm(spec: ModelSpec) -> None:
    LlmModel.objects.filter(provider_id=spec.provider, model_id=spec.model_id).update(refused_at=None, refusal="")
