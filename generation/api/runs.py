from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import IntegrityError
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from contentopt.errors import DomainError
from generation.api.base import PageQuery, WorkspaceAPIView, body_hash, usd
from generation.api.briefs import WishesBody, wishes
from generation.api.document import operation
from generation.api.strict import StrictSerializer
from generation.models import Catalogue, Product, Run, RunItem
from generation.services import runs
from generation.services.idempotency import key_reused
from generation.services.texts import writable_fields

MAX_PRODUCTS = 10_000
SHOWN_FAILURES = 100


class RunBody(WishesBody):
    """Either `catalogue` or `products`."""

    catalogue = serializers.UUIDField(required=False, help_text="Write every product of this import.")
    products = serializers.ListField(
        child=serializers.UUIDField(), required=False, max_length=MAX_PRODUCTS, help_text="Or just these."
    )
    only_missing = serializers.BooleanField(default=False, help_text="Leave products alone that have a text.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("catalogue" in attrs) == ("products" in attrs):
            raise serializers.ValidationError("Send either `catalogue` or `products`.")
        return attrs


class RunReply(serializers.Serializer[Run]):
    id = serializers.UUIDField()
    state = serializers.ChoiceField(Run.State.choices)
    catalogue = serializers.UUIDField(source="catalogue_id", allow_null=True)
    brief = serializers.DictField(help_text="The wishes it was started with.")
    products = serializers.IntegerField(source="item_count")
    ceiling_usd = serializers.SerializerMethodField(help_text="It cannot cost more.")
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)

    def get_ceiling_usd(self, run: Run) -> str:
        return usd(run.ceiling_nanos)


class ItemFailure(serializers.Serializer[RunItem]):
    product = serializers.UUIDField(source="product_id")
    title = serializers.CharField(source="product.title")
    reason = serializers.CharField(source="failure")


class RunStatusReply(RunReply):
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
    failures: Any = runs.failed_items(run)[:SHOWN_FAILURES]
    return {
        **RunReply(run).data,
        "waiting": progress.waiting + progress.paused,
        "running": progress.running,
        "done": progress.done,
        "failed": progress.failed,
        "cancelled": progress.cancelled,
        "known": progress.known,
        "cost_usd": usd(progress.cost_nanos),
        "seconds_left": progress.seconds_left,
        "failures": ItemFailure(failures, many=True).data,
    }


class Runs(WorkspaceAPIView):
    @operation("list_runs", query=PageQuery, replies={200: RunReply(many=True)})
    def get(self, _request: Request) -> Response:
        """Runs, newest first."""
        self.query(PageQuery)
        return self.page(Run.objects.in_workspace(self.workspace), RunReply)

    @operation("start_run", body=RunBody, replies={202: RunAcceptedReply}, errors=[404, 503], idempotent=True)
    def post(self, request: Request) -> Response:
        """Write many products in the background: poll `status_url`."""
        key, data = self.idempotency_key(), self.body(RunBody)
        request_hash = body_hash(request.data)
        run = self.replayed(key, request_hash) or self.start(data, key, request_hash)
        status_url = reverse("api_run", [run.pk], request=request)
        return Response({**status_of(run), "status_url": status_url}, status=202)

    def start(self, data: dict[str, Any], key: str | None, request_hash: str) -> Run:
        catalogue, products = self.selection(data)
        fields = writable_fields(catalogue.mapping) if catalogue else ["description"]
        try:
            return runs.start_run(
                workspace=self.workspace,
                products=runs.selected(products, only_missing=data["only_missing"]),
                wishes={**wishes(data), "fields": fields},
                catalogue=catalogue,
                idempotency_key=key,
                request_hash=request_hash,
            )
        except IntegrityError:  # the same key arrived twice at once, and the other one is stored by now
            if run := self.replayed(key, request_hash):
                return run
            raise

    def selection(self, data: dict[str, Any]) -> tuple[Catalogue | None, Any]:
        products = Product.objects.in_workspace(self.workspace)
        if "catalogue" in data:
            catalogue: Catalogue = self.find(Catalogue.objects.all(), data["catalogue"])
            return catalogue, products.filter(catalogue=catalogue)
        chosen = products.filter(pk__in=data["products"])
        if chosen.count() != len(set(data["products"])):
            raise DomainError("Some of these products do not exist in this workspace.", code="not_found", status=404)
        return None, chosen

    def replayed(self, key: str | None, request_hash: str) -> Run | None:
        if key is None:
            return None
        run = Run.objects.in_workspace(self.workspace).filter(idempotency_key=key).first()
        if run and run.request_hash != request_hash:
            raise key_reused()
        return run


class OneRun(WorkspaceAPIView):
    @operation("get_run", replies={200: RunStatusReply}, errors=[404])
    def get(self, _request: Request, pk: str) -> Response:
        """How a run is going."""
        return Response(status_of(self.find(Run.objects.all(), pk)))


class ActionBody(StrictSerializer):
    """No fields."""


class RunAction(WorkspaceAPIView):
    def act(self, pk: str, change: Callable[[Run], object]) -> Response:
        self.body(ActionBody)
        run: Run = self.find(Run.objects.all(), pk)
        change(run)
        run.refresh_from_db()
        return Response(status_of(run))


class PauseRun(RunAction):
    @operation("pause_run", body=ActionBody, replies={200: RunStatusReply}, errors=[404, 409])
    def post(self, _request: Request, pk: str) -> Response:
        """Items being written right now still end; the others wait."""
        return self.act(pk, runs.pause_run)


class ResumeRun(RunAction):
    @operation("resume_run", body=ActionBody, replies={200: RunStatusReply}, errors=[404, 409])
    def post(self, _request: Request, pk: str) -> Response:
        """Go on with a paused run."""
        return self.act(pk, runs.resume_run)


class CancelRun(RunAction):
    @operation("cancel_run", body=ActionBody, replies={200: RunStatusReply}, errors=[404, 409])
    def post(self, _request: Request, pk: str) -> Response:
        """What is written stays; what was not begun is let go, at no cost."""
        return self.act(pk, runs.cancel_run)


class RetryRun(RunAction):
    @operation("retry_run", body=ActionBody, replies={200: RunStatusReply}, errors=[404, 409])
    def post(self, _request: Request, pk: str) -> Response:
        """Write again what failed or was cancelled."""
        return self.act(pk, runs.retry_failed)
