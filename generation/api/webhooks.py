from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from contentopt.jobs import JobState
from generation.api.base import NoBody, PageQuery, WorkspaceAPIView
from generation.api.document import operation
from generation.api.strict import StrictSerializer, TextField
from webhooks import services
from webhooks.addresses import MOST_CHARACTERS
from webhooks.events import EVENT_TYPES
from webhooks.models import Attempt, Delivery, Endpoint

# As the API says it -> states of the row.
OUTCOMES = {
    "pending": (JobState.QUEUED, JobState.RUNNING),
    "received": (JobState.DONE,),
    "failed": (JobState.FAILED,),
}


class EndpointChanges(StrictSerializer):
    """What is not sent stays."""

    url = TextField(
        required=False, max_length=MOST_CHARACTERS, help_text="`https`, port 443 or 8443, the name of a host."
    )
    event_types = serializers.ListField(
        child=serializers.ChoiceField(list(EVENT_TYPES)),
        required=False,
        min_length=1,
        max_length=len(EVENT_TYPES),
        help_text="What it is told; see the section on webhooks.",
    )
    description = TextField(required=False, allow_blank=True, max_length=120, help_text="For people.")
    enabled = serializers.BooleanField(
        required=False, help_text="False: nothing is sent, and what waits for it ends. True: from now on."
    )


class EndpointBody(StrictSerializer):
    url = TextField(max_length=MOST_CHARACTERS, help_text="`https`, port 443 or 8443, the name of a host.")
    event_types = serializers.ListField(
        child=serializers.ChoiceField(list(EVENT_TYPES)),
        min_length=1,
        max_length=len(EVENT_TYPES),
        help_text="What it is told; see the section on webhooks.",
    )
    description = TextField(required=False, default="", allow_blank=True, max_length=120, help_text="For people.")


class EndpointReply(serializers.Serializer[Endpoint]):
    id = serializers.UUIDField()
    url = serializers.CharField()
    description = serializers.CharField()
    event_types = serializers.ListField(child=serializers.ChoiceField(list(EVENT_TYPES)))
    enabled = serializers.BooleanField(source="is_enabled")
    disabled_reason = serializers.CharField(help_text="Why it is off; empty while it is on.")
    failing_since = serializers.DateTimeField(
        allow_null=True, help_text="Since when it takes no events; five days later it is switched off."
    )
    old_secret_until = serializers.DateTimeField(
        allow_null=True, help_text="After a rotation: until then the secret before it signs as well."
    )
    created_at = serializers.DateTimeField()


class EndpointSecretReply(EndpointReply):
    secret = serializers.SerializerMethodField(help_text="Checks signatures. In this reply alone.")

    def get_secret(self, _endpoint: Endpoint) -> str:
        secret: str = self.context.get("secret", "")
        return secret


class AttemptReply(serializers.Serializer[Attempt]):
    created_at = serializers.DateTimeField()
    status = serializers.IntegerField(allow_null=True, help_text="Null where there was no answer.")
    error = serializers.CharField(help_text="What went wrong, in words.")
    response = serializers.CharField(help_text="The first KB of the answer.")
    seconds = serializers.FloatField(allow_null=True)


class DeliveryReply(serializers.Serializer[Delivery]):
    id = serializers.UUIDField()
    event = serializers.UUIDField(source="event_id", help_text="As in the header `webhook-id`.")
    type = serializers.CharField(source="event.type")
    endpoint = serializers.UUIDField(source="endpoint_id")
    outcome = serializers.SerializerMethodField(help_text="`pending` until it is received or given up.")
    attempts = serializers.IntegerField(source="attempt")
    next_attempt_at = serializers.SerializerMethodField(help_text="Null when there is none to come.")
    failure = serializers.CharField(help_text="Why it was not received at the last attempt.")
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)

    @extend_schema_field(serializers.ChoiceField(list(OUTCOMES)))
    def get_outcome(self, delivery: Delivery) -> str:
        return next(outcome for outcome, states in OUTCOMES.items() if delivery.state in states)

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_next_attempt_at(self, delivery: Delivery) -> str | None:
        return delivery.next_run_at.isoformat() if delivery.state == JobState.QUEUED else None


class DeliveryDetailReply(DeliveryReply):
    payload = serializers.DictField(source="event.data", help_text="The `data` of the event.")
    log = AttemptReply(source="attempts", many=True, help_text="Newest first, of the last 30 days.")


class ReplayedReply(serializers.Serializer[Any]):
    deliveries = serializers.IntegerField(help_text="How many are sent again.")


class DeliveryQuery(PageQuery):
    endpoint = serializers.UUIDField(required=False, help_text="Of this endpoint alone.")
    outcome = serializers.ChoiceField(list(OUTCOMES), required=False)


class WebhookAPIView(WorkspaceAPIView):
    required_scope = Scope.WEBHOOKS
    is_kept_with_its_work = True  # no name is looked up and nothing sent here; who delivers does both

    def endpoint(self, pk: str) -> Endpoint:
        found: Endpoint = self.find(Endpoint.objects.all(), pk)
        return found

    def delivery(self, pk: str) -> Delivery:
        found: Delivery = self.find(Delivery.objects.select_related("event", "endpoint"), pk)
        return found


class WebhookEndpoints(WebhookAPIView):
    is_reply_secret = True

    @operation("list_webhook_endpoints", query=PageQuery, replies={200: EndpointReply(many=True)})
    def get(self, _request: Request) -> Response:
        """Addresses that are told of events, newest first."""
        self.query(PageQuery)
        return self.page(Endpoint.objects.in_workspace(self.workspace), EndpointReply)

    @operation("create_webhook_endpoint", body=EndpointBody, replies={201: EndpointSecretReply}, errors=[409])
    def post(self, _request: Request) -> Response:
        """Tell an address of events from now on. The reply holds the secret that checks its signatures."""
        endpoint, secret = services.create_endpoint(
            workspace=self.workspace, created_by=self.person, **self.body(EndpointBody)
        )
        return Response(EndpointSecretReply(endpoint, context={"secret": secret}).data, status=201)


class OneWebhookEndpoint(WebhookAPIView):
    @operation("get_webhook_endpoint", replies={200: EndpointReply}, errors=[404])
    def get(self, _request: Request, pk: str) -> Response:
        """How an endpoint is set and does."""
        return Response(EndpointReply(self.endpoint(pk)).data)

    @operation("change_webhook_endpoint", body=EndpointChanges, replies={200: EndpointReply}, errors=[404])
    def patch(self, _request: Request, pk: str) -> Response:
        """Another address, other events, on or off."""
        endpoint, changes = self.endpoint(pk), self.body(EndpointChanges)
        enabled = changes.pop("enabled", None)
        if changes:
            services.change_endpoint(endpoint, **changes)
        if enabled is not None and enabled != endpoint.is_enabled:
            switch = services.switch_endpoint_on if enabled else services.switch_endpoint_off
            switch(endpoint)
        return Response(EndpointReply(endpoint).data)

    @operation("delete_webhook_endpoint", replies={204: None}, errors=[404])
    def delete(self, _request: Request, pk: str) -> Response:
        """Remove an endpoint, and the list of what was sent to it."""
        services.delete_endpoint(self.endpoint(pk))
        return Response(status=204)


class RotateWebhookSecret(WebhookAPIView):
    is_reply_secret = True

    @operation("rotate_webhook_secret", body=NoBody, replies={200: EndpointSecretReply}, errors=[404])
    def post(self, _request: Request, pk: str) -> Response:
        """A new secret. The one before signs beside it for 24 hours; one that was old already ends now."""
        self.body(NoBody)
        endpoint = self.endpoint(pk)
        secret = services.rotate_secret(endpoint)
        return Response(EndpointSecretReply(endpoint, context={"secret": secret}).data)


class TestWebhookEndpoint(WebhookAPIView):
    @operation("test_webhook_endpoint", body=NoBody, replies={202: DeliveryReply}, errors=[404, 409])
    def post(self, _request: Request, pk: str) -> Response:
        """Send `webhook.test` to it now. The delivery says what came of it, within seconds."""
        self.body(NoBody)
        return Response(DeliveryReply(services.send_test(self.endpoint(pk))).data, status=202)


class ReplayFailedDeliveries(WebhookAPIView):
    @operation("replay_failed_webhook_deliveries", body=NoBody, replies={202: ReplayedReply}, errors=[404, 409])
    def post(self, _request: Request, pk: str) -> Response:
        """Send everything once more that it did not receive in the last 30 days, each event under the same id."""
        self.body(NoBody)
        return Response({"deliveries": services.replay_failed(self.endpoint(pk))}, status=202)


class WebhookDeliveries(WebhookAPIView):
    @operation("list_webhook_deliveries", query=DeliveryQuery, replies={200: DeliveryReply(many=True)})
    def get(self, _request: Request) -> Response:
        """What was sent in the last 30 days, newest first."""
        query = self.query(DeliveryQuery)
        rows = Delivery.objects.in_workspace(self.workspace).select_related("event")
        if "endpoint" in query:
            rows = rows.filter(endpoint=query["endpoint"])
        if "outcome" in query:
            rows = rows.filter(state__in=OUTCOMES[query["outcome"]])
        return self.page(rows, DeliveryReply)


class OneWebhookDelivery(WebhookAPIView):
    @operation("get_webhook_delivery", replies={200: DeliveryDetailReply}, errors=[404])
    def get(self, _request: Request, pk: str) -> Response:
        """What was sent, and every attempt at it."""
        return Response(DeliveryDetailReply(self.delivery(pk)).data)


class ReplayWebhookDelivery(WebhookAPIView):
    @operation("replay_webhook_delivery", body=NoBody, replies={202: DeliveryReply}, errors=[404, 409])
    def post(self, _request: Request, pk: str) -> Response:
        """Send the same event once more, under the same id."""
        self.body(NoBody)
        return Response(DeliveryReply(services.replay(self.delivery(pk))).data, status=202)
