from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import IntegrityError
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from contentopt.errors import DomainError
from generation.api.base import NewestFirst, StrictSerializer, WorkspaceAPIView, body_hash, page, usd
from generation.api.briefs import WishesBody, wishes
from generation.api.texts import IDEMPOTENCY
from generation.models import Catalogue, Product, Run, RunItem
from generation.services import runs
from generation.services.idempotency import key_reused
from generation.services.texts import writable_fields

MAX_PRODUCTS = 10_000


class RunBody(WishesBody):
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
    state = serializers.CharField()
    catalogue = serializers.UUIDField(source="catalogue_id", allow_null=True)
    brief = serializers.JSONField()
    products = serializers.IntegerField(source="item_count")
    ceiling_usd = serializers.SerializerMethodField()
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
    failures = ItemFailure(many=True)


def status_of(run: Run) -> dict[str, Any]:
    progress = runs.run_progress(run)
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
        "failures": ItemFailure(runs.failed_items(run)[:100], many=True).data,
    }


class Runs(WorkspaceAPIView):
    @extend_schema(responses=RunReply(many=True))
    def get(self, _request: Request) -> Response:
        """Runs, newest first."""
        return page(self, NewestFirst(), Run.objects.in_workspace(self.workspace), RunReply)

    @extend_schema(request=RunBody, responses={202: RunStatusReply}, parameters=[IDEMPOTENCY])
    def post(self, request: Request) -> Response:
        """Write many products. Poll `status_url`."""
        key, request_hash = self.idempotency_key(), body_hash(request.data)
        run = self.replayed(key, request_hash) or self.start(request, key, request_hash)
        status_url = reverse("api_run", [run.pk], request=request)
        return Response({**status_of(run), "status_url": status_url}, status=202)

    def start(self, request: Request, key: str | None, request_hash: str) -> Run:
        body = RunBody(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
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
        except IntegrityError:
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
    @extend_schema(responses=RunStatusReply)
    def get(self, _request: Request, pk: str) -> Response:
        """How a run is going."""
        return Response(status_of(self.find(Run.objects.all(), pk)))


class ActionBody(StrictSerializer):
    """No fields."""


ACTIONS: dict[str, Callable[[Run], object]] = {
    "pause": runs.pause_run,
    "resume": runs.resume_run,
    "cancel": runs.cancel_run,
    "retry": runs.retry_failed,
}


class RunAction(WorkspaceAPIView):
    @extend_schema(request=ActionBody, responses=RunStatusReply)
    def post(self, request: Request, pk: str, action: str) -> Response:
        """pause, resume, cancel, or retry what failed."""
        ActionBody(data=request.data).is_valid(raise_exception=True)
        run: Run = self.find(Run.objects.all(), pk)
        ACTIONS[action](run)
        run.refresh_from_db()
        return Response(status_of(run))
