from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import Plan, User, Workspace
from accounts.services.workspaces import change_plan
from generation.engine.items import write_item
from generation.models import Catalogue, Run
from generation.services import texts
from tests.conftest import SignIn
from tests.factories import HEADER, first_product, make_catalogue, make_file, make_run

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
PAGES = ["workspace_home", "products", "import_new", "run_new", "run_list", "usage", "api_keys", "plan"]


@pytest.fixture
def client(alice: User, shop: Workspace, sign_in: SignIn) -> Client:
    return sign_in(alice)


@pytest.fixture
def catalogue(shop: Workspace) -> Catalogue:
    return make_catalogue(shop)


@pytest.fixture
def finished_run(catalogue: Catalogue) -> Run:
    run = make_run(catalogue)
    for item in run.items.all():
        write_item(str(item.pk))
    run.refresh_from_db()
    return run


def page(client: Client, name: str, shop: Workspace, *args: object) -> str:
    response = client.get(reverse(name, args=(shop.slug, *args)))
    assert response.status_code == 200, name
    return response.content.decode()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_an_empty_workspace_says_what_to_do(client: Client, shop: Workspace, name: str) -> None:
    Catalogue.objects.in_workspace(shop).delete()

    assert "<h1>" in page(client, name, shop)


def test_first_thing_to_do_is_one_that_can_be_done(client: Client, shop: Workspace) -> None:
    Catalogue.objects.in_workspace(shop).delete()

    home, products = page(client, "workspace_home", shop), page(client, "products", shop)
    with_file = page(client, "workspace_home", make_catalogue(shop).workspace)

    assert home.index("Import your own file") < home.index("Write some descriptions")
    assert with_file.index("Write some descriptions") < with_file.index("Import your own file")
    assert "Write descriptions" not in products
    assert "Up to 100 MB" in page(client, "import_new", shop)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_a_workspace_at_work_opens(client: Client, shop: Workspace, finished_run: Run, name: str) -> None:
    assert "<h1>" in page(client, name, shop)


def test_pages_about_one_thing_open(client: Client, shop: Workspace, finished_run: Run) -> None:
    assert finished_run.catalogue is not None
    product = first_product(finished_run.catalogue)
    texts.edit_text(product=product, fields={"description": "An apron of gold."}, editor=None)

    assert "“gold”" in page(client, "product", shop, product.pk)
    assert "3 rows, 3 products" in page(client, "import_detail", shop, finished_run.catalogue.pk)
    assert "What do the columns mean?" in page(client, "import_mapping", shop, finished_run.catalogue.pk)
    assert "3 products of 3" in page(client, "export_review", shop, finished_run.catalogue.pk)
    assert "3 texts: 3 newly written" in page(client, "run_detail", shop, finished_run.pk)
    assert "<del>" in page(client, "product_diff", shop, product.pk, 1)


def test_a_text_with_markup_is_shown_as_text(client: Client, shop: Workspace, catalogue: Catalogue) -> None:
    product = first_product(catalogue)
    texts.edit_text(product=product, fields={"description": "<script>alert(1)</script> An apron."}, editor=None)

    for name, args in (("product", (product.pk,)), ("products", ()), ("export_review", (catalogue.pk,))):
        shown = page(client, name, shop, *args)
        assert "&lt;script&gt;alert(1)" in shown.replace("&amp;", "&")
        assert "<script>alert(1)" not in shown


def test_a_run_asks_for_itself_again_only_while_it_is_open(
    client: Client, shop: Workspace, catalogue: Catalogue
) -> None:
    run = make_run(catalogue)
    address = reverse("run_detail", args=(shop.slug, run.pk))

    running = client.get(address, headers=HTMX).content.decode()
    client.post(reverse("run_cancel", args=(shop.slug, run.pk)))
    ended = client.get(address, headers=HTMX).content.decode()

    assert 'hx-trigger="every 1s"' in running
    assert "hx-trigger" not in ended
    assert "<html" not in running + ended


def test_a_run_that_waits_for_its_model_says_so(client: Client, shop: Workspace, catalogue: Catalogue) -> None:
    run = make_run(catalogue)
    assert "wait for another try" not in page(client, "run_detail", shop, run.pk)
    run.items.filter(position__lte=1).update(failure="No model could write this just now: it is overloaded.")

    waiting = page(client, "run_detail", shop, run.pk)
    client.post(reverse("run_pause", args=(shop.slug, run.pk)))
    paused = page(client, "run_detail", shop, run.pk)

    assert "wait for another try" in waiting
    assert "it is overloaded" in waiting
    assert "another try" not in paused
    assert "appear here once you resume" in paused


def test_going_back_in_the_history_gets_the_whole_page(client: Client, shop: Workspace) -> None:
    response = client.get(
        reverse("products", args=(shop.slug,)), headers={**HTMX, "HX-History-Restore-Request": "true"}
    )

    assert b"<html" in response.content
    assert "HX-Request" in response.headers["Vary"]


def test_an_empty_file_is_refused_beside_the_field(client: Client, shop: Workspace) -> None:
    response = client.post(reverse("import_new", args=(shop.slug,)), {"file": SimpleUploadedFile("empty.csv", b"")})

    assert response.status_code == 422
    assert "This file is empty" in response.content.decode()


def test_a_mapping_that_cannot_be_used_keeps_what_was_chosen(client: Client, shop: Workspace) -> None:
    catalogue = make_catalogue(shop)
    roles = {f"column_{index}": "title" for index in range(len(HEADER.split(",")))}

    shown = client.post(reverse("import_mapping", args=(shop.slug, catalogue.pk)), roles).content.decode()

    assert "Only one column can be the title" in shown
    assert shown.count('<option value="title" selected>') == len(roles)


def test_an_empty_edit_is_not_saved_and_says_so(client: Client, shop: Workspace, finished_run: Run) -> None:
    assert finished_run.catalogue is not None
    product = first_product(finished_run.catalogue)

    address = reverse("product_edit", args=(shop.slug, product.pk))
    response = client.post(address, {"description": " "}, headers=HTMX)

    assert response.status_code == 422
    assert "cannot be empty" in response.content.decode()
    assert product.texts.count() == 1


def test_autosave_says_what_the_facts_do_not(client: Client, shop: Workspace, finished_run: Run) -> None:
    assert finished_run.catalogue is not None
    product = first_product(finished_run.catalogue)

    address = reverse("product_edit", args=(shop.slug, product.pk))
    response = client.post(address, {"description": "A linen apron in gold."}, headers=HTMX)

    assert response.status_code == 200
    assert "“gold”" in response.content.decode()


def test_who_is_done_editing_goes_on_from_the_text(client: Client, shop: Workspace, finished_run: Run) -> None:
    assert finished_run.catalogue is not None
    product = first_product(finished_run.catalogue)

    address = f"{reverse('product_edit', args=(shop.slug, product.pk))}?done"
    shown = client.post(address, {"description": "Linen, sand."}, headers=HTMX).content.decode()

    assert '<h2 id="text-heading" tabindex="-1" autofocus>' in shown


def test_an_edit_without_htmx_comes_back_to_the_product(client: Client, shop: Workspace, finished_run: Run) -> None:
    assert finished_run.catalogue is not None
    product = first_product(finished_run.catalogue)

    address = reverse("product_edit", args=(shop.slug, product.pk))
    response = client.post(address, {"description": "Linen, sand."}, follow=True)

    assert response.redirect_chain == [(reverse("product", args=(shop.slug, product.pk)), 302)]
    assert "Linen, sand." in response.content.decode()


@pytest.mark.parametrize(("show", "found"), [("shared", 2), ("empty", 1), ("unwritten", 3)])
def test_products_are_filtered_by_their_state(client: Client, shop: Workspace, show: str, found: int) -> None:
    rows = ["A,Apron,linen,sand,Same words", "B,Board,oak,natural,Same words", "C,Ladle,steel,silver,"]
    catalogue = make_catalogue(shop, make_file(rows))

    address = reverse("products", args=(shop.slug,))
    shown = client.get(address, {"catalogue": str(catalogue.pk), "show": show}, headers=HTMX).content.decode()

    assert shown.count('name="product"') == found


def test_new_run_can_take_only_what_is_not_written_yet(client: Client, shop: Workspace, catalogue: Catalogue) -> None:
    write_item(make_run(catalogue).items.order_by("position")[0].pk)

    found = client.get(reverse("run_new", args=[shop.slug]), {"which": "unwritten"}).content.decode()

    assert "Write 2 descriptions" in found


def test_the_price_begins_with_what_is_likely_and_says_what_the_most_counts(
    client: Client, shop: Workspace, catalogue: Catalogue, settings: Any
) -> None:
    settings.ANTHROPIC_API_KEY = "set"

    shown = client.get(reverse("run_new", args=[shop.slug])).content.decode()

    assert shown.index("Likely about") < shown.index("<dt>At most</dt>") < shown.index("At most is no forecast")


def test_a_run_that_the_plan_has_no_room_for_says_so_before_it_starts(
    client: Client, shop: Workspace, catalogue: Catalogue
) -> None:
    url = reverse("run_new", args=[shop.slug])
    for left, said in ((2, "Write about 2 descriptions"), (0, "No products left this month")):
        plan = Plan.objects.create(slug=f"of-{left}", name=f"Plan of {left}", products_per_month=left)
        change_plan(workspace=shop, plan=plan)

        shown = client.get(url).content.decode()

        assert said in shown
        assert f"about {3 - left} of these will not be written now" in shown


def test_what_failed_for_one_reason_is_told_once(client: Client, shop: Workspace, catalogue: Catalogue) -> None:
    run = make_run(catalogue)
    run.items.update(state="failed", failure="The plan has no place for it.")

    shown = client.get(reverse("run_detail", args=[shop.slug, run.pk])).content.decode()

    assert shown.count("The plan has no place for it.") == 1
    assert "3 products:" in shown


def test_visitor_who_has_used_up_the_tries_is_told_what_to_do(db: None) -> None:
    replies = [Client().post(reverse("landing_try"), {"prompt": f"Oak board {n}", "tone": "neutral"}) for n in range(8)]

    assert [reply.status_code for reply in replies] == [200] * 6 + [429] * 2
    assert reverse("account_signup") in replies[-1].content.decode()


def test_visitor_who_says_nothing_is_told_so(db: None) -> None:
    reply = Client().post(reverse("landing_try"), {"prompt": "   ", "tone": "neutral"})

    assert "Not quite yet" in reply.content.decode()
