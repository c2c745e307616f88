"""API keys, for programs that look after them. Nobody gets hold of a key that may more than they may themselves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.forms import MOST_REQUESTS
from accounts.models import ApiKey, Scope
from accounts.services.keys import (
    LIMITS,
    change_key,
    end_previous_secret,
    issue_key,
    refuse_more_scopes,
    refuse_wider,
    revoke_key,
    rotate_key,
)
from contentopt.errors import Conflict
from generation.api.base import NoBody, PageQuery, WorkspaceAPIView
from generation.api.conditional import version_of
from generation.api.document import operation
from generation.api.strict import DollarsField, StrictSerializer, TextField, UsdField

MOST_HOURS = 30 * 24


class SecretReply(serializers.Serializer[Any]):
    ends_with = serializers.CharField(help_text="Its last characters, to tell two apart. Empty for an old key.")
    created_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True, help_text="When it is refused. Null: with the key.")
    last_used_at = serializers.DateTimeField(allow_null=True)


class KeyReply(serializers.Serializer[ApiKey]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    prefix = serializers.CharField(help_text="The visible start of the key.")
    scopes = serializers.ListField(child=serializers.ChoiceField(Scope.choices))
    secrets = serializers.SerializerMethodField(help_text="The newest first; two while the key is rotated.")
    burst_per_minute = serializers.IntegerField(allow_null=True, help_text="Null: the plan's.")
    requests_per_day = serializers.IntegerField(allow_null=True)
    spend_cap_usd = UsdField(source="spend_cap_nanos", allow_null=True, help_text="Of model spend a month.")
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="To the minute.")
    expires_at = serializers.DateTimeField(allow_null=True, help_text="Null: never.")
    revoked_at = serializers.DateTimeField(allow_null=True)

    @extend_schema_field(SecretReply(many=True))
    def get_secrets(self, key: ApiKey) -> Any:
        return SecretReply(secrets_of(key), many=True).data


def secrets_of(key: ApiKey) -> list[dict[str, Any]]:
    present = {
        "ends_with": key.secret_hint,
        "created_at": key.secret_created_at,
        "ends_at": None,
        "last_used_at": key.secret_used_at if key.is_rotating else key.last_used_at,
    }
    previous = {
        "ends_with": key.previous_hint,
        "created_at": key.previous_created_at,
        "ends_at": key.previous_ends_at,
        "last_used_at": key.previous_used_at,
    }
    return [present, previous] if key.is_rotating else [present]


class NewKeyReply(KeyReply):
    key = serializers.SerializerMethodField(help_text="The key itself. It is given this once, and not kept.")

    def get_key(self, _key: ApiKey) -> str:
        issued: str = self.context["issued"]
        return issued


class KeyBody(StrictSerializer):
    name = TextField(max_length=80)
    expires_at = serializers.DateTimeField(
        required=False, allow_null=True, help_text="In the future (else `already_past`); null: never."
    )
    burst_per_minute = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=MOST_REQUESTS, help_text="Null: the plan's."
    )
    requests_per_day = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=MOST_REQUESTS)
    spend_cap_usd = DollarsField(
        source="spend_cap_nanos",
        required=False,
        allow_null=True,
        help_text="Of model spend a month. 0: known texts only.",
    )


class NewKeyBody(KeyBody):
    scopes = serializers.ListField(
        child=serializers.ChoiceField(Scope.choices), min_length=1, max_length=len(Scope.values)
    )


class KeyChange(KeyBody):
    rules: ClassVar[dict[str, Any]] = {"minProperties": 1}
    name = TextField(max_length=80, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError("Send what is to change.")
        return attrs


class RotateBody(StrictSerializer):
    old_lasts_hours = serializers.IntegerField(
        default=24, min_value=0, max_value=MOST_HOURS, help_text="How long the present secret goes on working."
    )


class KeysView(WorkspaceAPIView):
    required_scope = Scope.ADMIN
    is_kept_with_its_work = True

    def find_within(self, pk: str) -> ApiKey:
        """One that may do no more than the key that asks."""
        key: ApiKey = self.find(ApiKey.objects.all(), pk)
        refuse_more_scopes(self.scopes, key.scopes)
        return key

    def refuse_wider(self, wanted: Mapping[str, Any]) -> None:
        if self.key:
            refuse_wider(self.key, wanted)

    def find_active(self, pk: str) -> ApiKey:
        key = self.find_within(pk)
        if not key.is_active:
            raise Conflict("This key is revoked or expired. Make a new one.")
        return key

    def reply(self, key: ApiKey) -> Response:
        key.refresh_from_db()
        return Response(KeyReply(key).data)

    def new_secret(self, key: ApiKey, issued: str, status: int) -> Response:
        key.refresh_from_db()
        return Response(NewKeyReply(key, context={"issued": issued}).data, status=status)


class Keys(KeysView):
    is_reply_secret = True

    @operation("list_api_keys", query=PageQuery, replies={200: KeyReply(many=True)})
    def get(self, _request: Request) -> Response:
        """The workspace's keys, newest first, revoked ones among them."""
        self.query(PageQuery)
        return self.page(ApiKey.objects.in_workspace(self.workspace), KeyReply)

    @operation("create_api_key", body=NewKeyBody, replies={201: NewKeyReply})
    def post(self, _request: Request) -> Response:
        """Make a key. It may do no more than the one that asks, for no longer, and use no more."""
        wanted = self.body(NewKeyBody)
        refuse_more_scopes(self.scopes, wanted["scopes"])
        self.refuse_wider({**dict.fromkeys(("expires_at", *LIMITS)), **wanted})
        key, issued = issue_key(workspace=self.workspace, created_by=self.person, **wanted)
        return self.new_secret(key, issued, 201)


class OneKey(KeysView):
    def version(self, pk: Any = None) -> str | None:
        return version_of(ApiKey.objects.in_workspace(self.workspace).filter(pk=pk))

    @operation("get_api_key", replies={200: KeyReply}, errors=[404])
    def get(self, _request: Request, pk: str) -> Response:
        """One key: what it may do and use, its secrets, and when each was last used."""
        return Response(KeyReply(self.find(ApiKey.objects.all(), pk)).data)

    @operation("change_api_key", body=KeyChange, replies={200: KeyReply}, errors=[404, 409])
    def patch(self, _request: Request, pk: str) -> Response:
        """Change a key's name, end or limits, from now on. What is left out stays."""
        changes = self.body(KeyChange)
        key = self.find_active(pk)
        self.refuse_wider(changes)
        change_key(key, **changes)
        return self.reply(key)


class RotateKey(KeysView):
    is_reply_secret = True

    @operation("rotate_api_key", body=RotateBody, replies={200: NewKeyReply}, errors=[404])
    def post(self, _request: Request, pk: str) -> Response:
        """Give the key another secret. The present one goes on working for as long as you say, so that nothing stops
        while programs are told the new one. A key has two secrets at most."""
        hours = self.body(RotateBody)["old_lasts_hours"]
        key = self.find_active(pk)
        issued = rotate_key(key, old_lasts=timedelta(hours=hours))
        return self.new_secret(key, issued, 200)


class RevokeKey(KeysView):
    @operation("revoke_api_key", body=NoBody, replies={200: KeyReply}, errors=[404])
    def post(self, _request: Request, pk: str) -> Response:
        """Refuse the key from this moment on. It stays on the list; revoking twice is revoking once."""
        self.body(NoBody)
        key = self.find_within(pk)
        revoke_key(key)
        return self.reply(key)


class EndPreviousSecret(KeysView):
    @operation("end_previous_secret", body=NoBody, replies={200: KeyReply}, errors=[404])
    def post(self, _request: Request, pk: str) -> Response:
        """Refuse the older of a key's two secrets from this moment on."""
        self.body(NoBody)
        key = self.find_active(pk)
        end_previous_secret(key)
        return self.reply(key)
