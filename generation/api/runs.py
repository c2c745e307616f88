from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.db import IntegrityError
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from accounts.dollars import decimal_usd
from contentopt.errors import DomainError
from generation.api.base import NoBody, PageQuery, WorkspaceAPIView, body_hash
from generation.api.briefs import TASKS, WishesBody, wishes
from generation.api.document import operation
from generation.api.strict import DollarsField, StrictSerializer, UsdField
from generation.facts import Task
from generation.models import Catalogue, Product, Run, RunItem
from generation.services import retrying, runs
from generation.services.idempotency import replayed
from generation.services.runs import BatchProgress
from generation.services.texts import writable_fields

MAX_PRODUCTS = 10_000
SHOWN_FAILURES = 100


class RunBody(WishesBody):
    """Either `catalogue` or `products`."""

    rules: ClassVar[dict[str, Any]] = {"oneOf": [{"required": ["catalogue"]}, {"required": ["products"]}]}

    catalogue = serializers.UUIDField(required=False, help_text="Write every product of this import.")
    products = serializers.ListField(
        child=serializers.UUIDField(), required=False, max_length=MAX_PRODUCTS, help_text="Or just these."
    )
    only_missing = serializers.BooleanField(default=False, help_text="Leave products alone that have a text.")
    urgency = serializers.ChoiceField(
        Run.Urgency.choices,
        default=Run.Urgency.NOW,
        help_text="`later`: by a provider's batch at half the price, usually within an hour, within 24 at the latest.",
    )
    task = serializers.ChoiceField(
        TASKS,
        default=Task.DESCRIPTION.value,
        help_text="`rewrite` improves the texts in the file, `translate` puts ours into `language`; the facts rule in "
        "both. A product without such a text is described.",
    )
    cap_usd = DollarsField(required=False, help_text="Stop spending on this run here; by default at `ceiling_usd`.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("catalogue" in attrs) == ("products" in attrs):
            raise serializers.ValidationError("Send either `catalogue` or `products`.")
        return attrs


class RetryBody(StrictSerializer):
    cap_usd = DollarsField(
        source="cap_nanos",
        required=False,
        help_text="What the run may cost in all from now on. Needed where its cap is too little for what the rest is "
        "likely to cost: `budget_exhausted` says so, and what is enough, likely (`likely_enough_usd`) or surely "
        "(`enough_usd`). The present cap again means as far as that reaches.",
    )


class RunReply(serializers.Serializer[Run]):
    id = serializers.UUIDField()
    state = serializers.ChoiceField(Run.State.choices)
    catalogue = serializers.UUIDField(source="catalogue_id", allow_null=True)
    brief = serializers.DictField(help_text="The wishes it was started with.")
    products = serializers.IntegerField(source="item_count")
    urgency = serializers.ChoiceField(Run.Urgency.choices, help_text="`now` also where no model takes batches.")
    remark = serializers.CharField(help_text="What is not as it was asked for; empty when all is.")
    ceiling_usd = UsdField(source="ceiling_nanos", help_text="It cannot cost more.")
    cap_usd = UsdField(source="cap_nanos", allow_null=True, help_text="The cap it was given, if any.")
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class ItemFailure(serializers.Serializer[RunItem]):
    product = serializers.UUIDField(source="product_id")
    title = serializers.CharField(source="product.title")
    reason = serializers.CharField(source="failure")


class BatchReply(serializers.Serializer[BatchProgress]):
    gathering = serializers.IntegerField(help_text="Texts that will be in the next batch.")
    sent = serializers.IntegerField(help_text="Texts that the provider has not answered yet.")
    since = serializers.DateTimeField(allow_null=True, help_text="When the oldest open batch was sent.")
    until = serializers.DateTimeField(allow_null=True, help_text="When the provider gives up on it at the latest.")
    saved_usd = UsdField(source="saved_nanos", help_text="How much more the answered ones would have cost at once.")


class RunStatusReply(RunReply):
    batch = BatchReply(allow_null=True, help_text="Of a run that waits for batches.")
    waiting = serializers.IntegerField()
    running = serializers.IntegerField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    known = serializers.IntegerField(help_text="Served from earlier work, at no cost.")
    cost_usd = serializers.CharField()
    seconds_left = serializers.FloatField(allow_null=True)
    failures = ItemFailure(many=True, help_text=f"The first {SHOWN_FAILURES}.")


class RunAcceptedReply(RunStatusReply):
    status_url = serializers.URLField()


def status_of(run: Run) -> dict[str, Any]:
    progress = runs.run_progress(run)
    batch = runs.batch_progress(run)
    failures: Any = runs.failed_items(run)[:SHOWN_FAILURES]
    return {
        **RunReply(run).data,
        "batch": BatchReply(batch).data if batch else None,
        "waiting": progress.waiting + progress.paused,
        "running": progress.running,
        "done": progress.done,
        "failed": progress.failed,
        "cancelled": progress.cancelled,
        "known": progress.known,
        "cost_usd": decimal_usd(progress.cost_nanos),
        "seconds_left": progress.seconds_left,
        "failures": ItemFailure(failures, many=True).data,
    }


class RunSelection(WorkspaceAPIView):
    """Which products of the workspace a body means, and how they are to be written."""

    def selection(self, data: dict[str, Any]) -> dict[str, Any]:
        catalogue, products = self.chosen(data)
        fields = writable_fields(catalogue.mapping) if catalogue else ["description"]
        return {
            "catalogue": catalogue,
            "products": runs.selected(products, only_missing=data["only_missing"]),
            "wishes": {
                **wishes(data, highest=self.workspace.plan.highest_tier),
                "fields": fields,
                **({} if data["task"] == Task.DESCRIPTION else {"task": data["task"]}),
            },
        }

    def chosen(self, data: dict[str, Any]) -> tuple[Catalogue | None, Any]:
        products = Product.objects.in_workspace(self.workspace)
        if "catalogue" in data:
            catalogue: Catalogue = self.find(Catalogue.objects.all(), data["catalogue"])
            return catalogue, products.filter(catalogue=catalogue)
        chosen = products.filter(pk__in=data["products"])
        if chosen.count() != len(set(data["products"])):
            raise DomainError("Some of these products do not exist in this workspace.", code="not_found", status=404)
        return None, chosen


class Runs(RunSelection):
    @operation("list_runs", query=PageQuery, replies={200: RunReply(many=True)})
    def get(self, _request: Request) -> Response:
        """Runs, newest first."""
        self.query(PageQuery)
        return self.page(Run.objects.in_workspace(self.workspace), RunReply)

    @operation("start_run", body=RunBody, replies={202: RunAcceptedReply}, errors=[404, 503])
    def post(self, request: Request) -> Response:
        """Write many products in the background: poll `status_url`."""
        key, data = self.idempotency_key(), self.body(RunBody)
        request_hash = body_hash(request.data)
        run = self.replayed(key, request_hash) or self.start(data, key, request_hash)
        status_url = reverse("api_run", [run.pk], request=request)
        return Response({**status_of(run), "status_url": status_url}, status=202)

    def start(self, data: dict[str, Any], key: str | None, request_hash: str) -> Run:
        try:
            return runs.start_run(
                workspace=self.workspace,
                **self.selection(data),
                api_key=self.key,
                created_by=self.person,
                cap_nanos=data.get("cap_usd"),
                urgency=data["urgency"],
                idempotency_key=key,
                request_hash=request_hash,
            )
        except IntegrityError:  # the same key arrived twice at once, and the other one is stored by now
            if run := self.replayed(key, request_hash):
                return run
            raise

    def replayed(self, key: str | None, request_hash: str) -> Run | None:
        return replayed(Run.objects.in_workspace(self.workspace), key, request_hash)


class OneRun(WorkspaceAPIView):
    @operation("get_run", replies={200: RunStatusReply}, errors=[404])
    def get(self, _request: Request, pk: str) -> Response:
        """How a run is going."""
        return Response(status_of(self.find(Run.objects.all(), pk)))


class RunAction(WorkspaceAPIView):
    takes: type[StrictSerializer] = NoBody

    def act(self, pk: str, change: Callable[..., object]) -> Response:
        wanted = self.body(self.takes)
        run: Run = self.find(Run.objects.all(), pk)
        change(run, **wanted)
        run.refresh_from_db()
        return Response(status_of(run))


class PauseRun(RunAction):
    @operation("pause_run", body=NoBody, replies={200: RunStatusReply}, errors=[404, 409])
    def post(self, _request: Request, pk: str) -> Response:
        """Items being written right now still end; the others wait."""
        return self.act(pk, runs.pause_run)


class ResumeRun(RunAction):
    @operation("resume_run", body=NoBody, replies={200: RunStatusReply}, errors=[404, 409])
    def post(self, _request: Request, pk: str) -> Response:
        """Go on with a paused run."""
        return self.act(pk, runs.resume_run)


class CancelRun(RunAction):
    @operation("cancel_run", body=NoBody, replies={200: RunStatusReply}, errors=[404, 409])
    def post(self, _request: Request, pk: str) -> Response:
        """What is written stays; what was not begun is let go, at no cost. What a provider's batch has written by
        then is paid for, and kept."""
        return self.act(pk, runs.cancel_run)


class RetryRun(RunAction):
    takes = RetryBody

    @operation("retry_run", body=RetryBody, replies={200: RunStatusReply}, errors=[402, 404, 409, 503])
    def post(self, _request: Request, pk: str) -> Response:
        """Write again what failed or was cancelled. It may cost as much again as that could at first, but never more
        than the cap of a run that has one. Where that leaves no room for what is likely, nothing is begun until you
        say where to stop."""
        return self.act(pk, retrying.retry_failed)
