from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from generation.api.base import body_hash
from generation.api.briefs import DescriptionBody, brief_from_body
from generation.api.document import EVENT_STREAM, operation
from generation.api.explaining import ExplainQuery, explanation_of
from generation.api.streams import StreamedView, done, is_stream_wanted, known_reply, stream_reply
from generation.api.texts import DescriptionReply, description_reply, text_reply
from generation.facts import Brief
from generation.models import Text
from generation.services.streams import describe_aloud
from generation.services.texts import describe


class Descriptions(StreamedView):
    answers_known_texts = True

    @operation(
        "create_description",
        body=DescriptionBody,
        query=ExplainQuery,
        replies={(200, "application/json"): DescriptionReply, (200, EVENT_STREAM): str},
        errors=[402, 503],
    )
    def post(self, request: Request) -> HttpResponse:
        """Describe one product. The text states only what the product's facts state.

        A text that was known is listed under `texts` within seconds; asked for by its id it is there at once, unless
        thousands were given in the same moment: then try again in a few seconds.

        With `Accept: text/event-stream` it is told as it is written: `text` events hold pieces (`{"text": "…"}`) that
        are not checked yet, `restart` says that what was told is void and written anew, and `done` is this operation's
        reply, or `error` its refusal. The text is written, stored and charged whether or not anybody goes on reading;
        `Content-Location` is where to read along again.
        """
        key = self.idempotency_key()
        is_explained = bool(request.query_params) and self.query(ExplainQuery)["explain"]
        asked: dict[str, Any] = {
            "workspace": self.workspace,
            "payer": self.payer,
            "brief": self.read_brief(),
            "idempotency_key": key,
            "request_hash": body_hash(request.data) if key else "",
        }
        if is_stream_wanted(request):
            return self.aloud(asked, is_explained=is_explained)
        text = describe(**asked)
        explanation = explanation_of(text, is_wanted=is_explained)
        return Response(description_reply(text_reply(text), self.allowance, explanation))

    def read_brief(self) -> Brief:
        """Out of the body, unless generation.api.known has read it."""
        known: Brief | None = getattr(self.request, "brief_read", None)
        return known or brief_from_body(self.body(DescriptionBody), highest=self.workspace.plan.highest_tier)

    def aloud(self, asked: dict[str, Any], *, is_explained: bool) -> HttpResponse:
        remaining = self.allowance.remaining()
        found = describe_aloud(**asked, remaining=remaining, is_explained=is_explained)
        if isinstance(found, Text):
            return known_reply(found, done(found, remaining, explanation_of(found, is_wanted=is_explained)))
        return stream_reply(found, self.admission)
