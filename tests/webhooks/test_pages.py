"""The pages on which a shop's owners and admins see to their endpoints."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Role, Standing, User, Workspace
from tests.conftest import SignIn, member, say_why
from tests.webhooks.clockwork import work_off
from tests.webhooks.receivers import Receiver
from webhooks.announcing import announce
from webhooks.models import Delivery, Endpoint
from webhooks.services import MOST_ENDPOINTS, create_endpoint

pytestmark = pytest.mark.django_db

URL = "https://hooks.alder-goods.com/contentopt"


@pytest.fixture
def client(alice: User, shop: Workspace, sign_in: SignIn) -> Client:
    return sign_in(alice)


def page(client: Client, name: str, *arguments: object) -> str:
    return client.get(reverse(name, args=arguments)).content.decode()


def test_before_there_is_an_endpoint_the_page_says_what_one_is_for(client: Client, shop: Workspace) -> None:
    assert "No other system is told yet" in page(client, "webhooks", shop.slug)


def test_a_new_endpoints_secret_is_shown_once(client: Client, shop: Workspace) -> None:
    form = {"url": f" {URL} ", "description": "Warehouse", "event_types": ["text.created", "run.finished"]}
    reply = client.post(reverse("webhook_new", args=[shop.slug]), form)
    secret = re.search(r"whsec_[\w+/=]+", reply.content.decode())
    endpoint = Endpoint.objects.in_workspace(shop).get()

    assert secret
    assert reply["Cache-Control"] == "no-store"
    assert (endpoint.url, endpoint.event_types) == (URL, ["run.finished", "text.created"])
    assert "whsec_" not in page(client, "webhook_endpoint", shop.slug, endpoint.pk)
    assert secret[0] not in endpoint.secret


@pytest.mark.parametrize("url", ["http://hooks.alder-goods.com/", "https://127.0.0.1/", "https://redis:6379/"])
def test_an_address_that_is_not_sent_to_is_refused_on_making_and_on_changing(
    client: Client, shop: Workspace, url: str
) -> None:
    form = {"url": url, "event_types": ["run.finished"]}
    assert b'class="errors"' in client.post(reverse("webhook_new", args=[shop.slug]), form).content
    assert not Endpoint.objects.in_workspace(shop).exists()

    endpoint, _ = create_endpoint(workspace=shop, url=URL, event_types=["run.finished"])
    client.post(reverse("webhook_edit", args=[shop.slug, endpoint.pk]), form)
    endpoint.refresh_from_db()
    assert endpoint.url == URL


def test_ten_endpoints_are_the_most(client: Client, shop: Workspace) -> None:
    form = {"url": URL, "event_types": ["run.finished"]}
    answers = [client.post(reverse("webhook_new", args=[shop.slug]), form).status_code for _ in range(11)]
    assert answers == [200] * 10 + [409]
    assert Endpoint.objects.in_workspace(shop).count() == MOST_ENDPOINTS


def test_a_test_is_sent_and_its_page_shows_what_came_of_it(
    client: Client, shop: Workspace, endpoint: Endpoint, receiver: Receiver
) -> None:
    receiver.status, receiver.reply = 500, b"<script>alert(1)</script>"
    reply = client.post(reverse("webhook_test", args=[shop.slug, endpoint.pk]))
    work_off()
    shown = client.get(reply["Location"]).content.decode()
    assert "It answered 500." in shown
    assert "&lt;script&gt;alert(1)" in shown
    assert "To be tried again" in shown


def test_what_failed_can_be_sent_again_under_the_same_id_one_by_one_or_all(
    client: Client, shop: Workspace, endpoint: Endpoint, receiver: Receiver
) -> None:
    receiver.status = 410
    for number in range(3):
        announce(shop.pk, "run.finished", lambda number=number: {"id": str(number)})  # type: ignore[misc]
    work_off()
    failed = Delivery.objects.in_workspace(shop).filter(state="failed")
    assert failed.count() == 3
    refused = client.post(reverse("webhook_replay", args=[shop.slug, failed[0].pk]))
    assert refused.status_code == 409, "it is off"

    receiver.status = 200
    client.post(reverse("webhook_switch", args=[shop.slug, endpoint.pk]), {"on": "1"})
    client.post(reverse("webhook_replay", args=[shop.slug, failed[0].pk]))
    client.post(reverse("webhook_replay_failed", args=[shop.slug, endpoint.pk]))
    receiver.requests.clear()
    for _ in range(3):
        Delivery.objects.in_workspace(shop).filter(state="queued", published_at=None).update(published_at=None)
        work_off()
    events = {str(pk) for pk in Delivery.objects.in_workspace(shop).values_list("event", flat=True)}
    assert sorted(receiver.ids) == sorted(events)
    assert not failed.exists()


def test_one_that_is_on_its_way_cannot_be_sent_twice(client: Client, shop: Workspace, endpoint: Endpoint) -> None:
    announce(shop.pk, "run.finished", dict)
    delivery = Delivery.objects.in_workspace(shop).get()
    assert client.post(reverse("webhook_replay", args=[shop.slug, delivery.pk])).status_code == 409


def test_switched_off_it_hears_nothing_and_the_page_says_so(
    client: Client, shop: Workspace, endpoint: Endpoint
) -> None:
    client.post(reverse("webhook_switch", args=[shop.slug, endpoint.pk]))
    announce(shop.pk, "run.finished", dict)
    assert not Delivery.objects.in_workspace(shop).exists()
    assert "This endpoint is off." in page(client, "webhook_endpoint", shop.slug, endpoint.pk)


def test_removed_it_takes_its_deliveries_along(client: Client, shop: Workspace, endpoint: Endpoint) -> None:
    announce(shop.pk, "run.finished", dict)
    client.post(reverse("webhook_delete", args=[shop.slug, endpoint.pk]))
    assert not Delivery.objects.in_workspace(shop).exists()


def test_an_admin_may_and_an_editor_may_not(shop: Workspace, bob: User, sign_in: SignIn) -> None:
    admin = member(shop, "ada@alder-goods.example", Role.ADMIN)
    url = reverse("webhooks", args=[shop.slug])
    assert (sign_in(admin).get(url).status_code, sign_in(bob).get(url).status_code) == (200, 403)


def test_a_workspace_that_owes_a_payment_changes_no_endpoints(client: Client, shop: Workspace) -> None:
    Workspace.objects.filter(pk=shop.pk).update(standing=Standing.READ_ONLY)
    reply = client.post(reverse("webhook_new", args=[shop.slug]), {"url": URL, "event_types": ["run.finished"]})
    assert reply.status_code == 402


def test_a_longer_list_needs_no_more_queries(client: Client, shop: Workspace, endpoint: Endpoint) -> None:
    url = reverse("webhook_endpoint", args=[shop.slug, endpoint.pk])
    client.get(url)  # the first visit notes where one was
    counts = []
    for more in (2, 18):
        for _ in range(more):
            announce(shop.pk, "run.finished", dict)
        with CaptureQueriesContext(connection) as queries:
            client.get(url)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_staff_see_deliveries_send_them_again_and_see_no_secret(
    staff: Client, shop: Workspace, endpoint: Endpoint, receiver: Receiver
) -> None:
    announce(shop.pk, "run.finished", dict)
    work_off()
    delivery = Delivery.objects.in_workspace(shop).get()
    done = {"action": "send_again", "_selected_action": [str(delivery.pk)]}
    staff.post(reverse("admin:webhooks_delivery_changelist"), done)
    work_off()

    assert receiver.ids == [str(delivery.event_id)] * 2
    say_why(staff, shop)
    assert endpoint.secret not in page(staff, "admin:webhooks_endpoint_change", endpoint.pk)
    assert "run.finished" in page(staff, "admin:webhooks_delivery_change", delivery.pk)
