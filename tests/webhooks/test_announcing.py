"""What happens in the product becomes an event, in the same transaction, for whoever listens."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.emails import send_notice
from accounts.models import Notice, Plan, Workspace
from accounts.services.workspaces import change_plan
from generation.engine.items import write_item
from generation.importing import import_catalogue, keep_file
from generation.models import Catalogue, Product, Text
from generation.services.decisions import keep_text
from generation.services.runs import cancel_run
from generation.services.texts import edit_text
from tests.conftest import say_why
from tests.factories import first_product, make_catalogue, make_run
from webhooks.announcing import announce
from webhooks.events import EVENT_TYPES
from webhooks.models import Delivery, Endpoint, Event
from webhooks.services import create_endpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint(shop: Workspace) -> Endpoint:
    return create_endpoint(workspace=shop, url="https://hooks.alder-goods.com/", event_types=list(EVENT_TYPES))[0]


def told(shop: Workspace, event_type: str) -> list[dict[str, Any]]:
    """What events of a type say, oldest first, and that each says what the documentation lists."""
    events = Event.objects.in_workspace(shop).filter(type=event_type).order_by("created_at")
    said = [event.data for event in events]
    for data in said:
        assert set(data) == set(EVENT_TYPES[event_type].fields)
    return said


@pytest.mark.usefixtures("endpoint")
def test_a_run_that_ends_is_told_once_with_its_counts(shop: Workspace) -> None:
    run = make_run(make_catalogue(shop))
    for item in run.items.all():
        write_item(item.pk)

    [said] = told(shop, "run.finished")
    assert (said["id"], said["state"], said["products"], said["done"]) == (str(run.pk), "finished", 3, 3)
    assert len(told(shop, "text.created")) == 3
    assert said["url"].endswith(f"/api/v1/runs/{run.pk}")


@pytest.mark.usefixtures("endpoint")
def test_a_cancelled_run_is_told_too(shop: Workspace) -> None:
    run = make_run(make_catalogue(shop))
    cancel_run(run)
    [said] = told(shop, "run.finished")
    assert (said["state"], said["done"], said["cancelled"]) == ("cancelled", 0, 3)


@pytest.mark.usefixtures("endpoint")
def test_an_edit_and_a_kept_proposal_are_new_texts_and_an_autosave_of_the_same_version_is_not(shop: Workspace) -> None:
    product = written(shop)
    before = len(told(shop, "text.created"))
    for words in ("An apron of linen.", "An apron of sand linen."):
        edit_text(product=product, fields={"description": words}, editor=None)
        product.refresh_from_db()
    assert len(told(shop, "text.created")) == before + 1

    assert product.text
    proposal = Text.objects.create(
        workspace=shop, product=product, version=9, is_proposal=True, brief=product.text.brief, description="Linen."
    )
    keep_text(proposal)
    assert told(shop, "text.created")[-1]["id"] == str(proposal.pk)


def written(shop: Workspace) -> Product:
    run = make_run(make_catalogue(shop))
    item = run.items.order_by("position")[0]
    write_item(item.pk)
    return Product.objects.in_workspace(shop).get(pk=item.product_id)


@pytest.mark.usefixtures("endpoint")
def test_an_import_is_told_however_it_ends(shop: Workspace) -> None:
    make_catalogue(shop)
    bad = keep_file(workspace=shop, upload=io.BytesIO(b"\x89PNG\r\n\x1a\n\x00\x00"), filename="shop.png")
    import_catalogue(bad.pk)

    ready, refused = told(shop, "import.finished")
    assert (ready["status"], ready["products"], ready["filename"]) == ("ready", 3, "products.csv")
    assert (refused["status"], refused["id"]) == (Catalogue.Status.REFUSED, str(bad.pk))


@pytest.mark.usefixtures("endpoint")
def test_a_threshold_is_told_once_however_often_its_mail_is_tried(shop: Workspace) -> None:
    details = {
        "scope": "workspace",
        "scope_id": str(shop.pk),
        "percent": 80,
        "spent_nanos": 40_120_000_000,
        "limit_nanos": 50_000_000_000,
        "resets_at": "2026-12-01T00:00:00+00:00",
        "budget": 1,
    }
    notice = Notice.objects.create(workspace=shop, kind="budget", topic="budget/1/80", details=details)
    send_notice(notice.pk)
    Notice.objects.in_workspace(shop).update(state="queued")
    send_notice(notice.pk)

    [said] = told(shop, "budget.threshold")
    assert (said["scope"], said["percent"], said["used"], said["limit"]) == ("workspace", 80, "40.12", "50.00")


@pytest.mark.usefixtures("endpoint")
def test_another_plan_is_told_and_the_same_one_is_not(shop: Workspace) -> None:
    pro = Plan.objects.get(slug="pro")
    change_plan(workspace=shop, plan=pro)
    change_plan(workspace=shop, plan=pro)
    assert told(shop, "plan.changed") == [{"plan": "pro", "previous_plan": "internal", "standing": "good"}]


@pytest.mark.usefixtures("endpoint")
def test_a_plan_that_staff_change_is_told(shop: Workspace, staff: Client) -> None:
    say_why(staff, shop)
    url = reverse("admin:accounts_workspace_change", args=[shop.pk])
    form = {"name": shop.name, "plan": "pro", "standing": "good", "spend_cap_nanos": "", "night_cap_nanos": ""}
    inlines = {
        f"{name}-{field}": 0
        for name in ("memberships", "api_keys", "invitations")
        for field in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    assert staff.post(url, {**form, **inlines}).status_code == 302
    assert [said["plan"] for said in told(shop, "plan.changed")] == ["pro"]


def test_where_nobody_listens_nothing_is_written_and_one_look_up_is_all_it_costs(shop: Workspace) -> None:
    def never() -> dict[str, Any]:
        raise AssertionError

    with CaptureQueriesContext(connection) as queries:
        announce(shop.pk, "text.created", never)
    assert len(queries) == 1
    assert not Event.objects.in_workspace(shop).exists()


def test_only_those_that_listen_and_are_on_get_a_delivery(shop: Workspace, other_shop: Workspace) -> None:
    def make(workspace: Workspace, event_type: str) -> Endpoint:
        url = "https://hooks.alder-goods.com/"
        return create_endpoint(workspace=workspace, url=url, event_types=[event_type])[0]

    listens, _ = make(shop, "text.created"), make(shop, "run.finished")
    off = make(shop, "text.created")
    Endpoint.objects.in_workspace(shop).filter(pk=off.pk).update(state="disabled", disabled_reason="By hand.")
    make(other_shop, "text.created")

    announce(shop.pk, "text.created", lambda: {"id": "1"})

    assert list(Delivery.objects.across_workspaces().values_list("endpoint", flat=True)) == [listens.pk]


@pytest.mark.usefixtures("endpoint")
def test_what_is_rolled_back_is_not_told(shop: Workspace) -> None:
    class Stop(Exception):
        pass

    def happen_and_stop() -> None:
        with transaction.atomic():
            announce(shop.pk, "run.finished", dict)
            raise Stop

    with pytest.raises(Stop):
        happen_and_stop()
    assert not Event.objects.in_workspace(shop).exists()


def test_the_database_takes_no_delivery_to_another_workspaces_endpoint(
    shop: Workspace, endpoint: Endpoint, other_shop: Workspace
) -> None:
    event = Event.objects.create(workspace=other_shop, type="run.finished", data={})
    Delivery.objects.create(workspace=other_shop, endpoint=endpoint, event=event)
    with pytest.raises(IntegrityError, match="delivery_endpoint_id_of_workspace"), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.usefixtures("endpoint")
def test_the_database_takes_no_payload_that_is_not_thin(shop: Workspace) -> None:
    with pytest.raises(IntegrityError, match="event_is_thin"):
        announce(shop.pk, "run.finished", lambda: {"id": "x" * 20_000})


def test_a_text_without_a_product_is_told_to_nobody(shop: Workspace, endpoint: Endpoint, api: Any) -> None:
    reply = api(shop).post("/api/v1/descriptions", {"prompt": "Oak board, oiled"}, content_type="application/json")
    assert reply.status_code == 200
    assert not told(shop, "text.created")
    assert first_product(make_catalogue(shop)).text is None
