"""Draft, in review, approved: who may, which words, and what goes out."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import Membership, Notice, Role, User, Workspace
from contentopt.errors import Conflict, DomainError
from generation.engine.items import write_item
from generation.exporting import export_file
from generation.models import Catalogue, Product, Text
from generation.services import decisions, reviewing, texts
from generation.services.reviewing import approve_text, assign_product, reopen_text, submit_text
from tests.conftest import ApiClient, SignIn, member
from tests.factories import make_catalogue, make_file, make_run
from tests.generation.test_commenting import mails
from webhooks.models import Event
from webhooks.services import create_endpoint

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def catalogue(shop: Workspace) -> Catalogue:
    """Three products, each with a text by hand."""
    catalogue = make_catalogue(shop)
    for product in products_of(catalogue):
        texts.edit_text(product=product, fields={"description": f"{product.title}."}, editor=None)
    return catalogue


@pytest.fixture
def text(catalogue: Catalogue) -> Text:
    return present(products_of(catalogue)[0])


def products_of(catalogue: Catalogue) -> list[Product]:
    return list(Product.objects.in_workspace(catalogue.workspace_id).filter(catalogue=catalogue))


def present(product: Product) -> Text:
    product = Product.objects.in_workspace(product.workspace_id).select_related("text").get(pk=product.pk)
    assert product.text is not None
    return product.text


def approved(text: Text, by: User | None = None) -> Text:
    return approve_text(submit_text(text, by=by), by=by)


def stored(text: Text) -> Text:
    return Text.objects.in_workspace(text.workspace_id).get(pk=text.pk)


def edit(text: Text, words: str, editor: User | None = None) -> Text:
    assert text.product is not None
    return texts.edit_text(product=text.product, fields={"description": words}, editor=editor)


# --- Which words ---


def test_text_goes_from_draft_to_review_to_approved_and_says_by_whom(text: Text, alice: User, bob: User) -> None:
    submitted = submit_text(text, by=bob)
    assert (submitted.state, submitted.submitted_by) == ("in_review", bob)

    done = approve_text(submitted, by=alice)

    assert (done.state, done.approved_by, done.submitted_by) == ("approved", alice, bob)
    assert done.approved_at is not None
    assert done.pk == text.pk


def test_edit_of_an_approved_text_is_a_new_draft_and_the_approved_words_stay(text: Text, bob: User) -> None:
    assert text.product is not None
    approved(text)

    edited = edit(text, "Other words.")

    assert (present(text.product), edited.state) == (edited, "draft")
    assert (stored(text).state, stored(text).description) == ("approved", text.description)


def test_edit_of_what_is_in_review_is_a_new_draft_even_in_the_same_sitting(text: Text) -> None:
    same_sitting = edit(text, "Still the same version.")
    assert same_sitting.pk == text.pk
    submit_text(text, by=None)

    assert edit(text, "A version of its own.").pk != text.pk
    reopen_text(submit_text(present_after(text), by=None))
    assert edit(text, "And again.").version == 3


def present_after(text: Text) -> Text:
    assert text.product is not None
    return present(text.product)


@pytest.mark.parametrize("column", ["description", "seo_title", "meta_description", "bullets"])
@pytest.mark.parametrize("is_reopened", [False, True])
def test_no_statement_changes_words_that_were_sent_to_review(text: Text, column: str, is_reopened: bool) -> None:
    submit_text(text, by=None)
    if is_reopened:
        reopen_text(text)
    rows = Text.objects.in_workspace(text.workspace_id).filter(pk=text.pk)

    with pytest.raises(IntegrityError, match="write a new version"), transaction.atomic():
        rows.update(**{column: "Unseen"})
    with pytest.raises(IntegrityError, match="write a new version"), transaction.atomic():
        rows.update(state="draft", submitted_at=None)


@pytest.mark.parametrize(
    "columns",
    [
        {"state": "approved", "approved_at": None},
        {"state": "approved", "submitted_at": None},
        {"state": "in_review", "product": None},
        {"state": "draft"},
        {"state": "published"},
        {"is_proposal": True},
    ],
)
def test_no_row_is_half_approved(text: Text, columns: dict[str, Any]) -> None:
    approved(text)
    with pytest.raises(IntegrityError), transaction.atomic():
        Text.objects.in_workspace(text.workspace_id).filter(pk=text.pk).update(**columns)


def test_draft_is_approved_only_with_the_words_that_were_read(text: Text) -> None:
    read = text.words_digest
    with pytest.raises(Conflict, match="Send it to review"):
        approve_text(text, by=None)
    edit(text, "Words that came meanwhile.")
    with pytest.raises(Conflict, match="changed after you read them"):
        approve_text(text, by=None, words=read)
    assert stored(text).state == "draft"

    assert approve_text(text, by=None, words=stored(text).words_digest).is_approved


def test_text_that_is_not_the_present_one_any_more_is_not_approved(text: Text) -> None:
    submit_text(text, by=None)
    edited = edit(text, "Newer words.")

    with pytest.raises(Conflict, match="not the product's present text any more"):
        approve_text(text, by=None)

    assert (stored(text).state, edited.state) == ("in_review", "draft")


def test_rejected_text_is_approved_no_longer(text: Text) -> None:
    approved(text)
    decisions.reject_text(text, by=None)
    assert (stored(text).state, stored(text).approved_at) == ("draft", None)


def test_restored_words_are_a_draft(text: Text) -> None:
    assert text.product is not None
    approved(text)
    edit(text, "Newer words.")
    assert decisions.restore_text(product=text.product, version=1, editor=None).state == "draft"


def test_run_that_began_before_covers_no_text_that_was_approved_since(shop: Workspace) -> None:
    catalogue = make_catalogue(shop)
    for item in make_run(catalogue).items.all():
        write_item(item.pk)
    product = products_of(catalogue)[0]
    run = make_run(catalogue, tone="friendly")
    kept = approved(present(product))

    write_item(run.items.get(product=product).pk)

    assert present(product) == kept
    assert product.texts.count() == 2


# --- Who is told ---


def test_an_approval_is_announced_once_in_its_own_transaction(text: Text, shop: Workspace) -> None:
    create_endpoint(workspace=shop, url="https://hooks.alder-goods.com/", event_types=["text.approved"])
    submit_text(text, by=None)
    approve_text(text, by=None)
    approve_text(text, by=None)

    event = Event.objects.in_workspace(shop).get()
    assert (event.type, event.data["id"]) == ("text.approved", str(text.pk))


# --- Assigned to ---


def test_member_of_another_workspace_cannot_be_assigned_by_any_statement(
    text: Text, shop: Workspace, other_shop: Workspace
) -> None:
    stranger = Membership.objects.in_workspace(other_shop).get()
    assert text.product is not None
    with pytest.raises(IntegrityError, match="product_assignee_within_workspace"), transaction.atomic():
        assign_product(text.product, to=stranger, by=None)
    assign_product(text.product, to=Membership.objects.in_workspace(shop).get(), by=None)
    with pytest.raises(IntegrityError, match="product_assignee_within_workspace"), transaction.atomic():
        Membership.objects.in_workspace(shop).update(workspace=other_shop)


def test_page_and_api_refuse_a_member_of_another_workspace(
    text: Text, shop: Workspace, alice: User, charlie: User, other_shop: Workspace, sign_in: SignIn, api: ApiClient
) -> None:
    stranger = Membership.objects.in_workspace(other_shop).get()
    page = reverse("product_assign", args=(shop.slug, text.product_id))
    response = sign_in(alice).post(page, {"member": str(stranger.pk)})
    assert (response.status_code, "Choose a member of this workspace" in response.content.decode()) == (422, True)

    body = {"assignee": charlie.email}
    url = f"/api/v1/products/{text.product_id}"
    assert api(shop).patch(url, body, content_type="application/json").status_code == 422
    assert Product.objects.in_workspace(shop).exclude(assignee=None).count() == 0


def test_who_is_assigned_texts_gets_one_mail_an_hour_with_the_way_to_all_of_them(
    catalogue: Catalogue, shop: Workspace, alice: User, bob: User, sign_in: SignIn
) -> None:
    membership = Membership.objects.in_workspace(shop).get(user=bob)
    chosen = [str(product.pk) for product in products_of(catalogue)]
    given = {"member": str(membership.pk), "product": chosen}
    sign_in(alice).post(reverse("products_assign", args=(shop.slug,)), given)

    (message,) = mails()
    assert (message.to, message.subject) == ([bob.email], f"Alder Goods: {alice.email} assigned you a text")
    assert f"/w/{shop.slug}/products/?assignee=me" in message.body
    assert "List-Unsubscribe" in message.extra_headers


def test_nobody_is_mailed_of_what_they_took_had_or_do_not_want_to_hear_of(
    catalogue: Catalogue, shop: Workspace, alice: User, bob: User
) -> None:
    mine, his = (Membership.objects.in_workspace(shop).get(user=user) for user in (alice, bob))
    first, second, third = products_of(catalogue)
    Product.objects.in_workspace(shop).filter(pk=second.pk).update(assignee=his)
    assign_product(first, to=mine, by=alice)
    assign_product(second, to=his, by=alice)
    assert not Notice.objects.in_workspace(shop).filter(kind="mention").exists()

    Membership.objects.in_workspace(shop).filter(user=bob).update(wants_mention_mail=False)
    assign_product(third, to=his, by=alice)
    assert mails() == []


def test_who_leaves_has_nothing_assigned_any_more(text: Text, shop: Workspace, bob: User) -> None:
    assert text.product is not None
    membership = Membership.objects.in_workspace(shop).get(user=bob)
    assign_product(text.product, to=membership, by=None)
    membership.delete()
    text.product.refresh_from_db()
    assert text.product.assignee is None


def test_list_shows_what_is_mine_and_in_which_state(
    catalogue: Catalogue, shop: Workspace, bob: User, sign_in: SignIn, api: ApiClient
) -> None:
    first, second, third = products_of(catalogue)
    assign_product(first, to=Membership.objects.in_workspace(shop).get(user=bob), by=None)
    approved(present(first))
    submit_text(present(second), by=None)
    client, program = sign_in(bob), api(shop)

    def listed(**query: str) -> set[str]:
        page = client.get(reverse("products", args=(shop.slug,)), query, headers=HTMX).content.decode()
        return {product.title for product in (first, second, third) if f">{product.title}</a>" in page}

    def found(**query: str) -> set[str]:
        return {row["title"] for row in program.get("/api/v1/products", query).json()["results"]}

    assert listed(assignee="me") == listed(assignee=bob.email) == found(assignee=bob.email) == {first.title}
    assert listed(assignee="nobody") == {second.title, third.title}
    assert listed(state="approved") == found(state="approved") == {first.title}
    assert listed(state="in_review") == found(state="in_review") == {second.title}
    assert listed(state="unapproved") == {second.title, third.title}
    assert listed(state="in_review", assignee="me") == set()
    assert [row["state"] for row in program.get("/api/v1/texts", {"state": "approved"}).json()["results"]] == [
        "approved"
    ]


# --- Who may ---


def test_editor_asks_and_admin_approves_on_the_page(text: Text, shop: Workspace, bob: User, sign_in: SignIn) -> None:
    ada = member(shop, "ada@alder-goods.example", Role.ADMIN)
    submit, approve = (reverse(name, args=(shop.slug, text.pk)) for name in ("text_submit", "text_approve"))

    assert sign_in(bob).post(submit).status_code == 302
    assert sign_in(bob).post(approve).status_code == 403
    assert stored(text).state == "in_review"
    assert sign_in(ada).post(approve).status_code == 302
    assert (stored(text).state, stored(text).approved_by) == ("approved", ada)


def test_buttons_are_shown_to_who_may_press_them(
    text: Text, shop: Workspace, alice: User, bob: User, vera: User, sign_in: SignIn
) -> None:
    page = reverse("product", args=(shop.slug, text.product_id))
    submit, approve = (reverse(name, args=(shop.slug, text.pk)) for name in ("text_submit", "text_approve"))
    shown = {
        user: [url in sign_in(user).get(page).content.decode() for url in (submit, approve)]
        for user in (alice, bob, vera)
    }
    assert shown == {alice: [True, True], bob: [True, False], vera: [False, False]}


def test_viewer_is_refused_one_by_one_and_in_bulk(text: Text, shop: Workspace, vera: User, sign_in: SignIn) -> None:
    client = sign_in(vera)
    submit_text(text, by=None)
    for name in ("text_submit", "text_approve", "text_reopen"):
        assert client.post(reverse(name, args=(shop.slug, text.pk))).status_code == 403
    for name in ("products_submit", "products_approve", "products_reopen", "products_assign"):
        body = {"product": str(text.product_id), "read": f"{text.pk}:{text.words_digest}"}
        assert client.post(reverse(name, args=(shop.slug,)), body).status_code == 403
    assert stored(text).state == "in_review"


def test_approving_from_the_page_goes_on_to_the_next_that_waits(
    catalogue: Catalogue, shop: Workspace, alice: User, sign_in: SignIn
) -> None:
    first, second, third = products_of(catalogue)
    approved(present(second))
    client = sign_in(alice)

    def approve(product: Product) -> Any:
        text = present(product)
        body = {"next": "1", "words": text.words_digest}
        return client.post(reverse("text_approve", args=(shop.slug, text.pk)), body, headers=HTMX)

    assert approve(first)["HX-Redirect"] == reverse("product", args=(shop.slug, third.pk))
    assert approve(third)["HX-Redirect"] == reverse("product", args=(shop.slug, third.pk))
    assert "last text of this file" in client.get(reverse("product", args=(shop.slug, third.pk))).content.decode()
    assert {present(product).state for product in (first, second, third)} == {"approved"}


# --- Several at once ---


def test_bulk_says_of_each_what_became_of_it_and_a_foreign_id_is_not_touched(
    catalogue: Catalogue, shop: Workspace, other_shop: Workspace, alice: User, sign_in: SignIn
) -> None:
    first, second, third = products_of(catalogue)
    foreign = products_of(make_catalogue(other_shop))[0]
    theirs = texts.edit_text(product=foreign, fields={"description": "Theirs."}, editor=None)
    client = sign_in(alice)
    page = client.get(
        reverse("products_review", args=(shop.slug,)),
        {"product": [str(product.pk) for product in (first, second, third, foreign)]},
    ).content.decode()
    assert "Theirs." not in page
    read = [f"{present(product).pk}:{present(product).words_digest}" for product in (first, second, third)]
    assert all(f'value="{row}"' in page for row in read)
    submit_text(present(second), by=None)
    edit(present_of(third), "Changed while the page was open.")

    response = client.post(
        reverse("products_approve", args=(shop.slug,)),
        {
            "product": [first.pk, second.pk, third.pk, foreign.pk, uuid.uuid4()],
            "read": [*read, f"{theirs.pk}:{theirs.words_digest}"],
        },
    )

    said = response.content.decode()
    assert "2 of 5 done." in said
    assert "The words were changed after you read them." in said
    assert said.count("There is no such product in this workspace.") == 2
    assert [present(product).state for product in (first, second, third, foreign)] == [
        "approved",
        "approved",
        "draft",
        "draft",
    ]


def present_of(product: Product) -> Text:
    text = present(product)
    text.product = product
    return text


def test_bulk_assigns_and_sends_to_review(catalogue: Catalogue, shop: Workspace, bob: User, sign_in: SignIn) -> None:
    first, second, _ = products_of(catalogue)
    membership = Membership.objects.in_workspace(shop).get(user=bob)
    body: dict[str, Any] = {"product": [first.pk, second.pk], "member": str(membership.pk)}
    client = sign_in(bob)

    assert "2 of 2 done." in client.post(reverse("products_assign", args=(shop.slug,)), body).content.decode()
    assert "2 of 2 done." in client.post(reverse("products_submit", args=(shop.slug,)), body).content.decode()

    assert Product.objects.in_workspace(shop).filter(assignee=membership, text__state="in_review").count() == 2


def test_bulk_has_an_end(shop: Workspace) -> None:
    with pytest.raises(DomainError, match="At most 100"):
        reviewing.with_each(shop, [uuid.uuid4() for _ in range(101)], lambda _: "")


# --- Only approved texts are exported ---

FILE = make_file(["A-1,Linen Apron,linen,sand,Ours before", "A-2,Oak Board,oak,natural,", 'A-3,"Steel ""Ladle""",,,'])


@pytest.fixture
def mixed(shop: Workspace) -> Catalogue:
    """The first text approved, the second in review, the third a draft."""
    Workspace.objects.filter(pk=shop.pk).update(exports_only_approved=True)
    catalogue = make_catalogue(shop, FILE)
    for product in products_of(catalogue):
        texts.edit_text(product=product, fields={"description": f"New, {product.key}."}, editor=None)
    first, second, _ = products_of(catalogue)
    approved(present(first))
    submit_text(present(second), by=None)
    return Catalogue.objects.in_workspace(shop).get(pk=catalogue.pk)


EXPECTED = FILE.replace(b"Ours before", b'"New, A-1."')


def test_export_changes_only_cells_of_approved_texts_byte_for_byte(mixed: Catalogue) -> None:
    assert b"".join(export_file(mixed)) == EXPECTED


def test_without_the_rule_every_text_is_exported(mixed: Catalogue, shop: Workspace) -> None:
    reviewing.set_export_rule(shop, only_approved=False)
    mixed.refresh_from_db()
    whole = b"".join(export_file(mixed))
    assert [f"New, A-{n}.".encode() in whole for n in (1, 2, 3)] == [True, True, True]


def test_file_of_which_nothing_is_approved_comes_back_as_it_was(mixed: Catalogue) -> None:
    reopen_text(present(products_of(mixed)[0]))
    assert b"".join(export_file(mixed)) == FILE


def test_export_page_says_how_many_are_left_out_and_where_they_are(
    mixed: Catalogue, shop: Workspace, alice: User, sign_in: SignIn
) -> None:
    client = sign_in(alice)
    page = client.get(reverse("export_review", args=(shop.slug, mixed.pk))).content.decode()
    listed = f"{reverse('products', args=(shop.slug,))}?catalogue={mixed.pk}&amp;state=unapproved"

    assert "2 texts are left out, because only approved ones are exported: 1 draft, 1 in review." in page
    assert listed in page
    assert "1 product of 3" in page
    assert client.get(listed.replace("&amp;", "&")).content.decode().count('name="product"') == 2
    download = client.get(reverse("export_download", args=(shop.slug, mixed.pk)))
    assert b"".join(download) == EXPECTED


def test_api_export_says_how_many_are_left_out_and_where_they_are(
    mixed: Catalogue, shop: Workspace, api: ApiClient
) -> None:
    response = api(shop).get(f"/api/v1/catalogues/{mixed.pk}/export")

    assert b"".join(response) == EXPECTED
    assert response["Texts-Left-Out"] == "2"
    assert response["Link"] == (
        f"<http://testserver/w/{shop.slug}/products/?catalogue={mixed.pk}&state=unapproved>; "
        'rel="related"; title="1 draft, 1 in review"'
    )


def test_rule_is_an_admins_to_set(mixed: Catalogue, shop: Workspace, alice: User, bob: User, sign_in: SignIn) -> None:
    address = reverse("export_rule", args=(shop.slug, mixed.pk))
    assert sign_in(bob).post(address).status_code == 403
    shop.refresh_from_db()
    assert shop.exports_only_approved

    sign_in(alice).post(address)

    shop.refresh_from_db()
    assert not shop.exports_only_approved


# --- Programs ---


def post(client: Client, text: Text, step: str) -> Any:
    return client.post(f"/api/v1/texts/{text.pk}/{step}", {}, content_type="application/json")


def test_program_sends_to_review_approves_and_reopens_and_each_twice_is_once(
    text: Text, shop: Workspace, api: ApiClient
) -> None:
    client = api(shop)
    for step, state in (("review", "in_review"), ("approve", "approved"), ("review", "approved"), ("reopen", "draft")):
        for _ in range(2):
            reply = post(client, text, step)
            assert (reply.status_code, reply.json()["state"], reply.json()["text"]) == (200, state, text.description)
    assert post(client, text, "approve").status_code == 409


def test_key_without_the_scope_may_ask_but_not_approve(text: Text, shop: Workspace, api: ApiClient) -> None:
    client = api(shop, ["read", "write"])
    assert post(client, text, "review").status_code == 200
    assert post(client, text, "approve").json()["error"]["code"] == "forbidden"
    assert api(shop, ["read", "approve"]).get(f"/api/v1/texts/{text.pk}").json()["state"] == "in_review"
    assert post(api(shop, ["approve"]), text, "approve").json()["approved_at"] is not None


def test_text_without_a_product_is_not_reviewed(shop: Workspace, api: ApiClient) -> None:
    client = api(shop)
    reply = client.post("/api/v1/descriptions", {"prompt": "Oak board"}, content_type="application/json").json()
    assert reply["state"] == "draft"
    response = client.post(f"/api/v1/texts/{reply['id']}/review", {}, content_type="application/json")
    assert (response.status_code, response.json()["error"]["code"]) == (409, "conflict")


def test_program_assigns(text: Text, shop: Workspace, bob: User, api: ApiClient) -> None:
    client, url = api(shop), f"/api/v1/products/{text.product_id}"
    for assignee in (bob.email, None):
        reply = client.patch(url, {"assignee": assignee}, content_type="application/json").json()
        assert reply["assignee"] == assignee
        assert client.get(url).json()["assignee"] == assignee
