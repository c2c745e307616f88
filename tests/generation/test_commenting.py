"""Comments on a text: whose, who is told, and that they are only ever words."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import Membership, Notice, Role, User, Workspace
from contentopt.errors import DomainError, NotAllowed
from generation.models import Comment, Text
from generation.services import texts
from generation.services.commenting import add_comment, change_comment, delete_comment
from generation.services.mentions import handles, members_of, mentioned
from tests.accounts.test_notices import send_all
from tests.conftest import ApiClient, SignIn, member
from tests.factories import first_product, make_catalogue

pytestmark = pytest.mark.django_db


@pytest.fixture
def text(shop: Workspace) -> Text:
    product = first_product(make_catalogue(shop))
    return texts.edit_text(product=product, fields={"description": "A linen apron."}, editor=None)


def comments(text: Text) -> list[str]:
    return list(Comment.objects.in_workspace(text.workspace_id).values_list("words", flat=True))


def page(client: Client, shop: Workspace, text: Text) -> str:
    return client.get(reverse("product", args=(shop.slug, text.product_id))).content.decode()


# --- Words and nothing else ---


def test_comment_with_markup_and_links_is_shown_as_it_was_typed(
    text: Text, shop: Workspace, bob: User, sign_in: SignIn
) -> None:
    client = sign_in(bob)
    words = '<img src=x onerror="alert(1)"> see https://evil.example & [this](https://evil.example)'
    response = client.post(
        reverse("text_comment", args=(shop.slug, text.pk)), {"words": words}, headers={"HX-Request": "true"}
    )

    for shown in (response.content.decode(), page(client, shop, text)):
        assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt; see https://evil.example &amp; [this]" in shown
        assert "<img src=x" not in shown
        assert 'href="https://evil.example' not in shown


def test_comments_of_all_versions_stand_beside_the_product(
    text: Text, shop: Workspace, alice: User, bob: User, sign_in: SignIn
) -> None:
    assert text.product is not None
    add_comment(text=text, words="Too long.", by=alice)
    newer = texts.edit_text(product=text.product, fields={"description": "An apron."}, editor=bob)
    add_comment(text=newer, words="Better.", by=alice)

    shown = page(sign_in(bob), shop, text)

    assert shown.index("on version 1") < shown.index("Too long.") < shown.index("on version 2") < shown.index("Better.")


@pytest.mark.parametrize("words", ["", "  \n", "x" * 2_001])
def test_comment_without_words_or_with_too_many_is_refused(text: Text, alice: User, words: str) -> None:
    with pytest.raises(DomainError):
        add_comment(text=text, words=words, by=alice)
    with pytest.raises(IntegrityError), transaction.atomic():
        Comment.objects.create(workspace_id=text.workspace_id, text=text, words="")


# --- Whose ---


def test_own_comment_is_changed_and_nobody_elses(text: Text, alice: User, bob: User) -> None:
    comment = add_comment(text=text, words="First.", by=bob)

    changed = change_comment(comment, words="Second.", by=bob)

    assert (changed.words, changed.edited_at is None) == ("Second.", False)
    with pytest.raises(NotAllowed):
        change_comment(comment, words="Put into his mouth.", by=alice)
    assert comments(text) == ["Second."]


def test_own_comment_is_deleted_and_anybodys_by_an_admin(
    text: Text, shop: Workspace, alice: User, bob: User, sign_in: SignIn
) -> None:
    eve = member(shop, "eve@alder-goods.example", Role.EDITOR)
    ours, theirs = (add_comment(text=text, words=words, by=bob) for words in ("One.", "Two."))
    delete = {comment: reverse("comment_delete", args=(shop.slug, comment.pk)) for comment in (ours, theirs)}

    assert sign_in(eve).post(delete[ours]).status_code == 403
    assert comments(text) == ["One.", "Two."]
    assert sign_in(bob).post(delete[ours]).status_code == 302
    assert sign_in(alice).post(delete[theirs]).status_code == 302
    assert comments(text) == []


def test_viewer_reads_comments_and_writes_none(
    text: Text, shop: Workspace, bob: User, vera: User, sign_in: SignIn
) -> None:
    comment = add_comment(text=text, words="Have a look.", by=bob)
    client = sign_in(vera)

    shown = page(client, shop, text)
    assert "Have a look." in shown
    assert reverse("text_comment", args=(shop.slug, text.pk)) not in shown
    assert client.post(reverse("text_comment", args=(shop.slug, text.pk)), {"words": "Hi"}).status_code == 403
    assert client.post(reverse("comment_delete", args=(shop.slug, comment.pk))).status_code == 403


def test_change_form_works_without_script(text: Text, shop: Workspace, bob: User, sign_in: SignIn) -> None:
    comment = add_comment(text=text, words="Have a look.", by=bob)
    client, address = sign_in(bob), reverse("comment_edit", args=(shop.slug, comment.pk))
    assert "Have a look." in client.get(address).content.decode()

    response = client.post(address, {"words": "Look again."})

    product = reverse("product", args=(shop.slug, text.product_id))
    assert response["Location"] == f"{product}#comment-{comment.pk}"
    assert comments(text) == ["Look again."]


# --- Who is meant and told ---


@pytest.fixture
def team(shop: Workspace, alice: User, bob: User, vera: User) -> dict[str, Membership]:
    member(shop, "vera@agency.example", Role.EDITOR)
    return {membership.user.email: membership for membership in members_of(shop)}


def test_members_are_named_by_what_stands_before_the_at_or_by_all_of_it(team: dict[str, Membership]) -> None:
    assert set(handles(team.values())) == {"alice", "bob", "vera@agency.example", "vera@alder-goods.example"}


@pytest.mark.parametrize(
    ("words", "who"),
    [
        ("@bob look", ["bob@alder-goods.example"]),
        ("(@Bob), @alice.", ["bob@alder-goods.example", "alice@alder-goods.example"]),
        ("@bob and @bob@alder-goods.example", ["bob@alder-goods.example"]),
        ("@vera", []),  # there are two
        ("@vera@agency.example!", ["vera@agency.example"]),
        ("mail bob@alder-goods.example or x@bob", []),
        ("@bobby @charlie @@bob", []),
    ],
)
def test_mentions_are_found(team: dict[str, Membership], words: str, who: list[str]) -> None:
    assert [membership.user.email for membership in mentioned(words, team.values())] == who


def mails() -> list[EmailMessage]:
    mail.outbox.clear()
    return send_all()


def test_who_is_mentioned_gets_one_mail_with_the_words_and_the_way_there(
    text: Text, shop: Workspace, alice: User, bob: User, settings: Any
) -> None:
    comment = add_comment(text=text, words="@bob is this\nright? @alice", by=alice)
    change_comment(comment, words="@bob is this right?", by=alice)

    (message,) = mails()

    assert message.to == [bob.email]
    assert message.subject == "Alder Goods: alice@alder-goods.example mentioned you about Linen Apron"
    assert "\n@bob is this\nright? @alice\n" in message.body
    product = reverse("product", args=(shop.slug, text.product_id))
    assert f"{settings.PUBLIC_URL}{product}#comment-{comment.pk}" in message.body


def test_a_strangers_name_mails_nobody(text: Text, alice: User, charlie: User, other_shop: Workspace) -> None:
    add_comment(text=text, words="@charlie @charlie@elsewhere.example", by=alice)
    assert Notice.objects.across_workspaces().count() == 0


def test_who_wants_no_such_mail_gets_none(text: Text, shop: Workspace, alice: User, bob: User, sign_in: SignIn) -> None:
    sign_in(bob).post(reverse("alerts", args=(shop.slug,)), {"mailing": "mentions"})
    add_comment(text=text, words="@bob?", by=alice)

    assert mails() == []

    sign_in(bob).post(reverse("alerts", args=(shop.slug,)), {"mailing": "mentions", "wants_mention_mail": "on"})
    assert Membership.objects.in_workspace(shop).get(user=bob).wants_mention_mail


def test_the_mails_own_link_stops_such_mails_and_no_others(
    text: Text, shop: Workspace, alice: User, bob: User, settings: Any
) -> None:
    add_comment(text=text, words="@bob?", by=alice)
    (message,) = mails()
    link = str(message.message()["List-Unsubscribe"]).strip("<>").removeprefix(settings.PUBLIC_URL)
    visitor = Client()

    assert "Stop mails about mentions and assignments?" in visitor.get(link).content.decode()
    visitor.post(link)

    membership = Membership.objects.in_workspace(shop).get(user=bob)
    assert (membership.wants_mention_mail, membership.wants_weekly_summary) == (False, True)


def test_of_a_deleted_comment_nothing_is_mailed_and_no_notice_keeps_its_words(
    text: Text, alice: User, bob: User
) -> None:
    comment = add_comment(text=text, words="@bob, a secret.", by=alice)
    delete_comment(comment, by=alice)
    assert mails() == []
    assert Notice.objects.across_workspaces().count() == 0


def test_who_left_before_the_mail_went_out_gets_none(text: Text, shop: Workspace, alice: User, bob: User) -> None:
    add_comment(text=text, words="@bob?", by=alice)
    Membership.objects.in_workspace(shop).filter(user=bob).delete()
    assert mails() == []


# --- Programs ---


def post(client: Client, text: Text, words: str, **headers: str) -> Any:
    body = {"comment": words}
    return client.post(f"/api/v1/texts/{text.pk}/comments", body, content_type="application/json", headers=headers)


def test_program_comments_lists_changes_and_deletes_its_own(
    text: Text, shop: Workspace, alice: User, api: ApiClient
) -> None:
    by_person = add_comment(text=text, words="By hand.", by=alice)
    client = api(shop, ["read", "write"])

    made = post(client, text, "By a program.")
    assert made.status_code == 201
    url = f"/api/v1/comments/{made.json()['id']}"
    assert (made.json()["version"], made.json()["author"]) == (1, None)
    for listed in (f"/api/v1/texts/{text.pk}/comments", f"/api/v1/products/{text.product_id}/comments"):
        assert [row["comment"] for row in client.get(listed).json()["results"]] == ["By hand.", "By a program."]
    changed = client.patch(url, {"comment": "Changed."}, content_type="application/json").json()
    assert (changed["comment"], changed["edited_at"] is None) == ("Changed.", False)
    assert client.delete(f"/api/v1/comments/{by_person.pk}").status_code == 403
    assert api(shop, ["read", "write"]).delete(url).status_code == 403
    assert client.delete(url).status_code == 204
    assert api(shop).delete(f"/api/v1/comments/{by_person.pk}").status_code == 204
    assert comments(text) == []


def test_same_key_and_body_comment_once(text: Text, shop: Workspace, api: ApiClient) -> None:
    client = api(shop)
    first = post(client, text, "Once.", **{"Idempotency-Key": "a"})
    again = post(client, text, "Once.", **{"Idempotency-Key": "a"})
    other = post(client, text, "Twice.", **{"Idempotency-Key": "a"})

    assert again.json() == first.json()
    assert other.json()["error"]["code"] == "idempotency_key_reused"
    assert comments(text) == ["Once."]
