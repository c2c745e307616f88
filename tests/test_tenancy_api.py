"""Two tenants, and every operation of the API's document: nothing of one is given to the other or changed by them.

The operations and the places where they take ids are read from the document, so a new one is covered by itself, or
fails here until it is said what its ids are of.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import resolve
from django.utils import timezone
from django.utils.text import slugify

from accounts.archiving import tenant_models
from accounts.models import ApiKey, Scope, User, Workspace
from accounts.services.keys import issue_key, revoke_key, rotate_key
from generation.models import Comment, Text
from tests.api_document import Operation, Slot, operations, put
from tests.factories import make_file
from tests.tenant_rows import digest, fill_tables, put_word, rows_of, word_of
from tests.test_tenancy import OPERATIONS
from tests.test_tenancy import rows_of as rows_by_services

pytestmark = pytest.mark.django_db

# Names that the addresses and bodies have for a model, where it is not the model's own.
KINDS = {"who": "api-keys", "webhook-endpoints": "endpoints", "webhook-deliveries": "deliveries"}
# Bodies of operations for which a body by the schema alone says nothing to do.
ENDPOINT = {"url": "https://hooks.alder-goods.com/", "event_types": ["run.finished"]}
PRODUCT = {"prompt": "Oak board, oiled, 40 cm"}
BODIES: dict[str, Any] = {
    "create_description": PRODUCT,
    "create_descriptions": {"items": [PRODUCT]},
    "estimate": PRODUCT,
    "set_budget": {"limit_usd": "5"},
    "assign_product": {"assignee": None},
    "create_webhook_endpoint": ENDPOINT,
    "change_webhook_endpoint": ENDPOINT,
}
# What an own id may come to: done, or refused for the state it is in. Else the other tenant's id proves nothing.
UNDERSTOOD = {200, 201, 202, 204, 304, 402, 409, 412}
WITHOUT_ROWS = {404, 403, 422}


class Reply(NamedTuple):
    status: int
    content: str


class Tenant(NamedTuple):
    workspace: Workspace
    key: str

    def row(self, kind: str) -> Any:
        """One that operations can do something with."""
        name = KINDS.get(kind, kind)
        models = {word: model for model in tenant_models() for word in words_of(model)}
        assert name in models, f"Say in KINDS which model “{kind}” is"
        rows = rows_of(models[name], self.workspace)
        if models[name] is Text:
            rows = rows.filter(product__text__isnull=False)
        if models[name] is ApiKey:
            rows = rows.filter(scopes=[Scope.READ])
        return rows.order_by("pk")[0]


def words_of(model: Any) -> set[str]:
    return {slugify(str(model._meta.verbose_name)), slugify(str(model._meta.verbose_name_plural))}


@pytest.fixture
def ours(shop: Workspace) -> Tenant:
    rows_by_services(shop)
    fill_tables(shop, only_empty=True)
    key, secret = issue_key(workspace=shop, name="Sweep", scopes=list(Scope.values))
    Comment.objects.in_workspace(shop).update(api_key=key)  # it may change what it wrote
    return Tenant(shop, secret)


@pytest.fixture
def secret(other_shop: Workspace) -> str:
    return word_of(other_shop)


@pytest.fixture
def theirs(other_shop: Workspace, charlie: User) -> Tenant:
    rows_by_services(other_shop)
    fill_tables(other_shop, only_empty=True)
    put_word(other_shop, charlie)
    return Tenant(other_shop, "")


@contextmanager
def undone() -> Iterator[None]:
    """What a call changed is taken back, so that the next one finds everything as it was."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def call(key: str, operation: Operation, ids: dict[Slot, object], **headers: str) -> Reply:
    path, query = operation.path, {}
    for slot, value in ids.items():
        if slot.where == "path":
            path = path.replace(f"{{{slot.name}}}", str(value))
        elif slot.where == "query":
            query[slot.name] = str(value)
    body: Any = None
    if operation.content_type == "multipart/form-data":
        body = {"file": SimpleUploadedFile("products.csv", make_file())}
    elif operation.content_type:
        in_body = [slot for slot in ids if slot.where == "body"]
        usual = operation.body(in_body[0].place if in_body else ())
        body = usual if in_body else BODIES.get(operation.name, usual)
        for slot in in_body:
            body = put(body, slot.place, str(ids[slot]))
    client = Client(
        raise_request_exception=False, headers={**({"Authorization": f"Bearer {key}"} if key else {}), **headers}
    )
    return send(client, operation, path, query, body)


def send(client: Client, operation: Operation, path: str, query: dict[str, str], body: Any) -> Reply:
    content_type = {} if operation.content_type.startswith("multipart") else {"content_type": "application/json"}
    sent = {"query_params": query} if operation.method == "get" else {"query_params": query, "data": body}
    with undone():
        response = getattr(client, operation.method)(path, **sent, **(content_type if "data" in sent else {}))
        content = b"".join(response) if response.streaming else response.content
    headers = " ".join(f"{name}: {value}" for name, value in response.items())
    return Reply(effective_status(response), f"{headers}\n{content.decode()}")


def effective_status(response: Any) -> int:
    """Of a list of items: the item's."""
    if response.status_code == 200 and "json" in response["Content-Type"]:
        results = response.json().get("results")
        if isinstance(results, list) and results and "status" in results[0] and "index" in results[0]:
            return int(results[0]["status"])
    return int(response.status_code)


def own_ids(tenant: Tenant, operation: Operation, *others: Slot) -> dict[Slot, object]:
    """In each place of the address, and in those others that are named."""
    places = [slot for slot in operation.slots if slot.where == "path"]
    return {slot: tenant.row(slot.kind).pk for slot in [*places, *others]}


def usual_ids(tenant: Tenant, operation: Operation) -> dict[Slot, object]:
    """With the first id of the body as well, if there is one: without it there may be nothing to do."""
    in_body = [slot for slot in operation.slots if slot.where == "body" and operation.name not in BODIES]
    return own_ids(tenant, operation, *in_body[:1])


def test_every_table_has_a_row_of_theirs_with_the_secret_in_it(theirs: Tenant, secret: str) -> None:
    rows = {model.__name__: rows_of(model, theirs.workspace).values() for model in tenant_models()}
    assert [name for name, found in rows.items() if not found] == []
    assert [name for name in ("Text", "Product", "ApiKey", "Run", "Catalogue") if secret not in str(rows[name])] == []


def test_another_tenants_ids_find_nothing_wherever_they_stand(ours: Tenant, theirs: Tenant, secret: str) -> None:
    before = digest(theirs.workspace)
    tried, wrong = 0, []
    for operation in operations():
        for slot in operation.slots:
            own = call(ours.key, operation, own_ids(ours, operation, slot))
            if own.status not in UNDERSTOOD:
                wrong.append((operation.name, slot.name, "not understood with an own id", own))
            reply = call(ours.key, operation, own_ids(ours, operation) | {slot: theirs.row(slot.kind).pk})
            is_filter = slot.where == "query" and operation.method == "get" and '"results":[]' in reply.content
            if reply.status not in WITHOUT_ROWS and not is_filter:
                wrong.append((operation.name, slot.name, "found", reply))
            if secret in reply.content or secret in own.content:
                wrong.append((operation.name, slot.name, "told", reply))
            if digest(theirs.workspace) != before:
                wrong.append((operation.name, slot.name, "changed", reply))
            tried += 1
    assert wrong == []
    assert tried >= 25


def test_what_one_does_with_ones_own_neither_tells_nor_touches_anything_of_the_other(
    ours: Tenant, theirs: Tenant, secret: str
) -> None:
    before = digest(theirs.workspace)
    replies = {operation.name: call(ours.key, operation, usual_ids(ours, operation)) for operation in operations()}
    assert {name: reply for name, reply in replies.items() if reply.status not in UNDERSTOOD} == {}
    assert [name for name, reply in replies.items() if secret in reply.content] == []
    assert digest(theirs.workspace) == before


def scope_of(operation: Operation) -> str:
    """By the table of routes, not by what the product says of itself."""
    match = resolve(operation.path.replace("{id}", str(uuid.uuid4())))
    return OPERATIONS[str(match.url_name), operation.method]


def test_a_key_may_what_its_scopes_say_and_nothing_more(ours: Tenant) -> None:
    key = issue_key(workspace=ours.workspace, name="Viewer", scopes=[Scope.READ])[1]
    call(key, operations()[0], {})  # its use is noted once a minute
    before = digest(ours.workspace)
    wrong = []
    for operation in operations():
        is_allowed = scope_of(operation) == Scope.READ
        reply = call(key, operation, own_ids(ours, operation))
        if (reply.status == 403) == is_allowed or digest(ours.workspace) != before:
            wrong.append((operation.name, reply))
    assert wrong == []


@pytest.mark.parametrize("state", ["revoked", "expired", "rotated away", "unknown", "none"])
def test_without_a_good_key_there_is_nothing(ours: Tenant, state: str) -> None:
    key = bad_key(ours.workspace, state)
    before = digest(ours.workspace)
    replies = {operation.name: call(key, operation, own_ids(ours, operation)) for operation in operations()}
    assert {name: reply for name, reply in replies.items() if reply.status != 401} == {}
    assert digest(ours.workspace) == before


def bad_key(workspace: Workspace, state: str) -> str:
    key, secret = issue_key(workspace=workspace, name="Once good", scopes=list(Scope.values))
    if state == "revoked":
        revoke_key(key)
    if state == "expired":
        ApiKey.objects.in_workspace(workspace).filter(pk=key.pk).update(expires_at=timezone.now())
    if state == "rotated away":
        rotate_key(key, old_lasts=timedelta())
    return {"unknown": f"{key.prefix}.{'x' * 43}", "none": ""}.get(state, secret)
