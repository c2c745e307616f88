"""Pages that show a text while it is written."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import PLATFORM_WORKSPACE_ID, User, Workspace
from contentopt.events import EventStream
from generation.models import Product, Stream, Text
from generation.streams.writing import write_stream
from tests.conftest import SignIn
from tests.events import events_of
from tests.factories import first_product, make_catalogue
from tests.servers import KEY, Provider

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def model(provider: Provider, settings: Any) -> Provider:
    settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_BASE_URL = KEY, provider.url
    return provider


@pytest.fixture
def product(shop: Workspace) -> Product:
    return first_product(make_catalogue(shop))


@pytest.fixture
def page(bob: User, sign_in: SignIn) -> Client:
    return sign_in(bob)


def rewrite(page: Client, product: Product, **wishes: str) -> str:
    url = reverse("product_rewrite", args=[product.workspace.slug, product.pk])
    content: str = page.post(url, wishes, headers=HTMX).content.decode()
    return content


def only_stream(workspace_id: UUID) -> Stream:
    return Stream.objects.across_workspaces().get(workspace_id=workspace_id)


def address(stream: Stream, slug: str) -> str:
    return reverse("stream", args=[slug, stream.pk])


def test_first_text_is_shown_as_it_is_written(page: Client, product: Product, model: Provider, bob: User) -> None:
    shown = rewrite(page, product)

    stream = only_stream(product.workspace_id)
    assert f'data-stream="{address(stream, product.workspace.slug)}"' in shown
    assert "Not checked yet" in shown
    assert "Nothing written yet" not in shown
    assert isinstance(page.get(address(stream, product.workspace.slug)), EventStream)
    assert (stream.created_by, stream.is_proposal) == (bob, False)


def test_closed_tab_finds_it_again(page: Client, product: Product, model: Provider) -> None:
    rewrite(page, product)
    url = reverse("product", args=[product.workspace.slug, product.pk])
    assert "data-stream=" in page.get(url).content.decode()

    write_stream(only_stream(product.workspace_id).pk)

    after = page.get(url).content.decode()
    assert "data-stream=" not in after
    product.refresh_from_db()
    assert product.text is not None
    assert product.text.description in after.replace("</span><span", "") or "data-labels" in after


def test_another_wording_becomes_a_proposal_beside_the_text(page: Client, product: Product, model: Provider) -> None:
    rewrite(page, product)
    write_stream(only_stream(product.workspace_id).pk)

    rewrite(page, product, wish="Mention the material.")
    second = Stream.objects.in_workspace(product.workspace).get(state="queued")
    write_stream(second.pk)

    second.refresh_from_db()
    assert second.text is not None
    assert second.text.is_undecided
    product.refresh_from_db()
    assert product.text != second.text


def test_asking_twice_reads_along(page: Client, product: Product, model: Provider) -> None:
    rewrite(page, product)
    rewrite(page, product, tone="playful")

    assert Stream.objects.in_workspace(product.workspace).count() == 1


def test_what_was_asked_for_is_where_one_is_taken_and_one_is_not_taken_there_twice(
    page: Client, product: Product, model: Provider
) -> None:
    url = reverse("product", args=[product.workspace.slug, product.pk])
    first = rewrite(page, product)
    write_stream(only_stream(product.workspace_id).pk)
    another = rewrite(page, product)
    while_written = page.get(url, headers=HTMX).content.decode()
    write_stream(Stream.objects.in_workspace(product.workspace).get(state="queued").pk)
    proposed = page.get(url, headers=HTMX).content.decode()
    proposal = product.texts.latest("version")

    kept = page.post(reverse("text_keep", args=[product.workspace.slug, proposal.pk]), headers=HTMX).content.decode()

    newest = '<h2 id="newest" tabindex="-1"'
    assert f"{newest} autofocus>Description" in first
    assert f"{newest} autofocus>Another wording" in another
    assert f"{newest}>Another wording" in while_written
    assert f"{newest}>Another wording" in proposed
    assert '<h2 id="text-heading" tabindex="-1" autofocus>' in kept


def test_earlier_proposal_stays_beside_the_one_being_written(page: Client, product: Product, model: Provider) -> None:
    rewrite(page, product)
    write_stream(only_stream(product.workspace_id).pk)
    rewrite(page, product)
    write_stream(Stream.objects.in_workspace(product.workspace).get(state="queued").pk)

    shown = rewrite(page, product)

    assert "data-stream=" in shown
    assert "Keep it" in shown
    assert shown.count('id="newest"') == 1


def test_failure_says_why_until_there_is_a_text(page: Client, product: Product, model: Provider) -> None:
    model.behave({"status": 400})
    rewrite(page, product)
    write_stream(only_stream(product.workspace_id).pk)
    url = reverse("product", args=[product.workspace.slug, product.pk])

    assert "Nothing was charged" in page.get(url).content.decode()

    model.behave({})
    rewrite(page, product)
    write_stream(Stream.objects.in_workspace(product.workspace).get(state="queued").pk)
    assert "Nothing was charged" not in page.get(url).content.decode()


def test_ended_stream_says_so_at_once(page: Client, product: Product, model: Provider) -> None:
    rewrite(page, product)
    stream = only_stream(product.workspace_id)
    write_stream(stream.pk)

    (event,) = events_of(page.get(address(stream, product.workspace.slug)).content)

    assert event.name == "done"


def test_offline_writer_is_not_waited_for(page: Client, product: Product) -> None:
    rewrite(page, product)

    assert not Stream.objects.in_workspace(product.workspace).exists()
    assert Text.objects.in_workspace(product.workspace).count() == 1


def test_page_without_script_waits_for_the_text(page: Client, product: Product, model: Provider) -> None:
    url = reverse("product_rewrite", args=[product.workspace.slug, product.pk])

    assert page.post(url).status_code == 302
    assert not Stream.objects.in_workspace(product.workspace).exists()


def test_visitor_reads_along_and_gets_the_text(client: Client, model: Provider) -> None:
    asked = {"prompt": "Oak Board\nMaterial: oak", "tone": "neutral"}
    shown = client.post(reverse("landing_try"), asked, headers=HTMX).content.decode()
    stream = only_stream(PLATFORM_WORKSPACE_ID)
    assert f'data-stream="{reverse("try_stream", args=[stream.pk])}"' in shown
    assert isinstance(client.get(reverse("try_stream", args=[stream.pk])), EventStream)
    assert "data-stream" in client.get(reverse("try_result", args=[stream.pk])).content.decode()

    write_stream(stream.pk)

    result = client.get(reverse("try_result", args=[stream.pk])).content.decode()
    assert "Your description" in result
    assert "data-stream" not in result
    assert "claude-haiku-5-5" in result
    again = client.post(reverse("landing_try"), asked, headers=HTMX).content.decode()
    assert "Cost nothing" in again


def test_visitors_address_opens_nothing_else(client: Client, page: Client, product: Product, model: Provider) -> None:
    rewrite(page, product)
    stream = only_stream(product.workspace_id)

    for name in ("try_stream", "try_result"):
        assert client.get(reverse(name, args=[stream.pk])).status_code == 404
