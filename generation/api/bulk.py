"""Many at once. Each is done, refused, counted and charged as if it had been sent alone."""

from __future__ import annotations

import contextvars
import hashlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from django.db import close_old_connections, transaction
from django.http import Http404
from django.utils.http import parse_etags
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.throttling import Allowance, refuse, take_for_key
from contentopt.errors import DomainError
from generation.api.base import WorkspaceAPIView, body_hash, validated
from generation.api.briefs import DescriptionBody, brief_from_body
from generation.api.conditional import etag_of, require_match, version_of
from generation.api.document import ErrorBody, operation
from generation.api.strict import StrictSerializer, TextField
from generation.api.texts import (
    EDITABLE,
    DescriptionReply,
    TextChange,
    TextReply,
    change_text,
    description_reply,
    lock_product,
    text_reply,
)
from generation.models import Text
from generation.services.texts import describe

MOST_ITEMS = 100
# Of a process, whoever asks: they wait for models, each with a connection to PostgreSQL.
AT_ONCE = 8
SECONDS = 45.0  # what is not begun by then is refused, so that the reply comes before proxies give up
_threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="bulk")

Outcome = tuple[int, dict[str, Any]]


def items_field(item: type[serializers.Serializer[Any]], help_text: str) -> serializers.ListField:
    """Documented as what it holds, and checked one by one: a wrong item does not refuse the others."""

    @extend_schema_field(item(many=True))
    class Items(serializers.ListField):
        child = serializers.JSONField()

    return Items(min_length=1, max_length=MOST_ITEMS, help_text=help_text)


class ResultReply(serializers.Serializer[Any]):
    index = serializers.IntegerField(help_text="Of the item, from 0.")
    status = serializers.IntegerField(help_text="As if it had been sent alone: 200, or the refusal's.")
    error = ErrorBody(allow_null=True, help_text="Why it was refused; the others are not touched by that.")


class DescriptionResult(ResultReply):
    description = DescriptionReply(allow_null=True)


class TextResult(ResultReply):
    text = TextReply(allow_null=True)


class CountsReply(serializers.Serializer[Any]):
    done = serializers.IntegerField()
    refused = serializers.IntegerField()


class DescriptionsReply(CountsReply):
    results = DescriptionResult(many=True, help_text="In the order of the items.")


class EditsReply(CountsReply):
    results = TextResult(many=True, help_text="In the order of the items.")


class BulkView(WorkspaceAPIView):
    def outcome(self, work: Callable[[], dict[str, Any]]) -> Outcome:
        try:
            return 200, work()
        except (DomainError, APIException, Http404) as error:
            refusal = self.get_exception_handler()(error, self.get_exception_handler_context())
            if refusal is None:
                raise
            return refusal.status_code, refusal.data["error"]

    def take_turn(self, index: int) -> Allowance:
        """Each item counts as a request; the first one is this request itself."""
        if index == 0:
            return self.allowance
        allowance = take_for_key(self.key, is_read=False)
        if not allowance.allowed:
            raise refuse(allowance)
        return allowance

    def reply(self, name: str, outcomes: list[Outcome]) -> Response:
        results = [
            {
                "index": index,
                "status": status,
                name: said if status == 200 else None,
                "error": None if status == 200 else said,
            }
            for index, (status, said) in enumerate(outcomes)
        ]
        done = sum(status == 200 for status, _ in outcomes)
        return Response({"done": done, "refused": len(outcomes) - done, "results": results})


class DescriptionsBody(StrictSerializer):
    items = items_field(DescriptionBody, "Each is the body of `create_description`.")


class BulkDescriptions(BulkView):
    answers_known_texts = True

    @operation("create_descriptions", body=DescriptionsBody, replies={200: DescriptionsReply})
    def post(self, _request: Request) -> Response:
        """Describe up to 100 products. Each item has its own result, as if it had been sent alone: a wrong one does not
        stop the others, and limits, quota and caps hold for each. What is known comes at once; items that are not begun
        within 45 seconds are refused with 503 `not_begun`, at no cost. For whole catalogues start a run."""
        items = self.body(DescriptionsBody)["items"]
        key, deadline = self.idempotency_key(), time.monotonic() + SECONDS
        works = [partial(self.describe, index, item, key, deadline) for index, item in enumerate(items)]
        return self.reply("description", in_parallel([partial(self.outcome, work) for work in works]))

    def describe(self, index: int, item: Any, key: str | None, deadline: float) -> dict[str, Any]:
        if time.monotonic() > deadline:
            raise DomainError(
                "There was no time left to begin this one. It cost nothing; send it again.",
                code="not_begun",
                status=503,
                retry_after=1,
            )
        body = validated(DescriptionBody, item)
        brief = brief_from_body(body, highest=self.workspace.plan.highest_tier)
        allowance = self.take_turn(index)
        text = describe(
            workspace=self.workspace,
            payer=self.payer,
            brief=brief,
            # Should this process die, whoever repeats the request finds what was paid for.
            idempotency_key=key and hashlib.sha256(f"{key}/{index}".encode()).hexdigest(),
            request_hash=body_hash(item) if key else "",
        )
        return description_reply(text_reply(text), allowance)


def in_parallel(works: list[Callable[[], Outcome]]) -> list[Outcome]:
    if len(works) == 1:
        return [works[0]()]
    contexts = [contextvars.copy_context() for _ in works]
    futures = [_threads.submit(context.run, _on_thread, work) for context, work in zip(contexts, works, strict=True)]
    return [future.result() for future in futures]


def _on_thread(work: Callable[[], Outcome]) -> Outcome:
    try:
        return work()
    finally:
        close_old_connections()


class TextEdit(TextChange):
    id = serializers.UUIDField(help_text="Of the present text of a product, or of a proposal.")
    if_match = TextField(
        required=False,
        max_length=200,
        help_text="The `ETag` of the text as you read it: refused with 412 if it changed.",
    )


class EditsBody(StrictSerializer):
    items = items_field(TextEdit, "Each names a text and what is to change, as `edit_text` takes it.")


class BulkTexts(BulkView):
    @operation("edit_texts", body=EditsBody, replies={200: EditsReply})
    def post(self, _request: Request) -> Response:
        """Edit up to 100 texts. Each item has its own result, as if it had been sent alone to `edit_text`."""
        items = self.body(EditsBody)["items"]
        works = [partial(self.edit, index, item) for index, item in enumerate(items)]
        return self.reply("text", [self.outcome(work) for work in works])

    def edit(self, index: int, item: Any) -> dict[str, Any]:
        changes = validated(TextEdit, item)
        pk, held = changes.pop("id"), changes.pop("if_match", None)
        self.take_turn(index)
        with transaction.atomic():
            text: Text = self.find(EDITABLE, pk)
            if held is not None:
                lock_product(text)
                present = version_of(Text.objects.in_workspace(self.workspace).filter(pk=pk)) or ""
                require_match(parse_etags(held), etag_of(present))
            return text_reply(change_text(text, changes))
