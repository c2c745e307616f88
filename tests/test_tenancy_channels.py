"""Two tenants, and what leaves the product beside its replies: mails, webhooks, event streams and lines of the log.

One of them does all that sends something, while every table of the other is full of a word that must be in none of it.
Which mails and events there are is read from the product: a new one that nothing here sends fails.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import structlog
from allauth.account.models import EmailAddress
from django.conf import settings as product_settings
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.test.signals import template_rendered
from django.urls import reverse
from django.utils import timezone

from accounts import budgets
from accounts.archiving import write_archive
from accounts.budgets import Attempt, Payer, Tokens
from accounts.dollars import NANOS_PER_DOLLAR
from accounts.emails import send_notice
from accounts.erasing import erase_workspace
from accounts.models import ApiKey, Deletion, Membership, Notice, Plan, Role, Scope, User, Workspace
from accounts.quotas import confirm, take
from accounts.services.archives import request_archive
from accounts.services.deletion import request_deletion
from accounts.services.keys import issue_key
from accounts.services.workspaces import change_plan
from accounts.summaries import tell_last_week
from billing.notices import alarm, tell
from contentopt.tenancy import across_workspaces, entering
from generation.engine.items import write_item
from generation.models import Stream, Text
from generation.services.commenting import add_comment
from generation.services.reviewing import approve_text
from generation.streams.writing import write_stream
from tests.accounts.test_weekly_summary import book
from tests.factories import first_product, make_catalogue, make_file, make_run
from tests.servers import KEY, Provider
from tests.test_tenancy import PAGES, Rows, rows_of
from tests.test_tenancy_api import Tenant, secret, theirs
from tests.webhooks.clockwork import work_off
from tests.webhooks.conftest import receiver
from tests.webhooks.receivers import Receiver
from webhooks.events import EVENT_TYPES
from webhooks.services import create_endpoint

__all__ = ["receiver", "secret", "theirs"]
pytestmark = pytest.mark.django_db

HTMX, EVENTS = {"HX-Request": "true"}, {"Accept": "text/event-stream"}


@dataclass
class Left:
    """What has left the product, by the way it went."""

    receiver: Receiver
    log: StringIO = field(default_factory=StringIO)
    streams: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    mail_templates: set[str] = field(default_factory=set)

    def by_channel(self) -> dict[str, str]:
        mails = [f"{each.subject} {each.to} {each.extra_headers} {each.body}" for each in mail.outbox]
        webhooks = [f"{headers} {body.decode()}" for headers, body in self.receiver.requests]
        channels = {"mails": mails, "webhooks": webhooks, "event streams": self.streams, "pages": self.pages}
        return {**{name: "\n".join(parts) for name, parts in channels.items()}, "log": self.log.getvalue()}

    def channels_with(self, word: str) -> set[str]:
        return {name for name, said in self.by_channel().items() if word.lower() in said.lower()}

    def events(self) -> set[str]:
        return {json.loads(body)["type"] for _, body in self.receiver.requests}


@pytest.fixture
def left(receiver: Receiver) -> Iterator[Left]:
    """The log as an operator has it who wants to be told everything."""
    left = Left(receiver)
    root, handler = logging.getLogger(), logging.StreamHandler(left.log)
    processors: Any = {"processor": product_settings.CONSOLE, "foreign_pre_chain": product_settings.LOG_PROCESSORS}
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(**processors))
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)

    def note(template: Any, **_rest: Any) -> None:
        if str(template.name).startswith("emails/"):
            left.mail_templates.add(template.name)

    template_rendered.connect(note)
    yield left
    template_rendered.disconnect(note)
    root.setLevel(level)
    root.removeHandler(handler)


@pytest.fixture
def model(provider: Provider, settings: Any) -> Provider:
    """A text that is waited for is told as it is written."""
    settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_BASE_URL = KEY, provider.url
    return provider


@dataclass
class Busy:
    """One tenant, who does all that sends something. `word` is in all that its people type."""

    rows: Rows
    owner: User
    left: Left
    word: str

    def __post_init__(self) -> None:
        self.shop = self.rows.workspace
        EmailAddress.objects.create(user=self.owner, email=self.owner.email, verified=True, primary=True)
        Workspace.objects.filter(pk=self.shop.pk).update(name=f"{self.shop.name} {self.word}")
        self.shop.refresh_from_db()
        self.page = self.signed_in(self.owner)

    def signed_in(self, user: User) -> Client:
        client = Client()
        client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
        return client

    def post(self, name: str, *arguments: Any, **form: str) -> None:
        answer = self.page.post(reverse(name, args=[self.shop.slug, *arguments]), form)
        assert answer.status_code in (200, 302), (name, answer.status_code)

    def do_everything(self) -> None:
        with entering(self.shop.pk):
            create_endpoint(workspace=self.shop, url=self.left.receiver.url, event_types=list(EVENT_TYPES))
            text = self.write()
            self.read_along()
            self.talk(text)
            self.change_people()
            self.spend()
            self.ask_for_data()
            self.change_what_is_paid()
        self.sign_in_and_up()
        self.look_at_all_pages()
        self.send()
        self.end()
        self.send()

    def send(self) -> None:
        """What the clock does: of all tenants, as far as it goes to this one or to the platform's staff."""
        for notice in Notice.objects.across_workspaces().exclude(workspace__slug="elsewhere"):
            send_notice(notice.pk)
        arrived = -1
        while arrived < (arrived := len(self.left.receiver.requests)):
            work_off()  # a few at a time

    def write(self) -> Text:
        content = make_file([f"A-1,Linen Apron {self.word},linen,sand,", "A-2,Oak Board,oak,natural,"])
        run = make_run(make_catalogue(self.shop, content, filename=f"{self.word}.csv"))
        for item in run.items.all():
            write_item(item.pk)
        text = Text.objects.in_workspace(self.shop).filter(product__run_items__run=run).select_related("product")[0]
        approve_text(text, by=self.owner, words=text.words_digest)
        return text

    def read_along(self) -> None:
        """Over the API, on the page, and as a visitor, each to the end and once more."""
        key = issue_key(workspace=self.shop, name=f"Reader {self.word}", scopes=list(Scope.values))[1]
        api = Client(headers={"Authorization": f"Bearer {key}"} | EVENTS)
        body = {"product": {"title": f"Felt Hat {self.word}", "attributes": {"Material": "felt"}}}
        api.post("/api/v1/descriptions", body, content_type="application/json")
        product = first_product(make_catalogue(self.shop, make_file([f"B-1,Wool Cap {self.word},wool,grey,"])))
        rewrite = reverse("product_rewrite", args=[self.shop.slug, product.pk])
        self.page.post(rewrite, headers=HTMX)
        for stream in Stream.objects.in_workspace(self.shop).filter(state="queued"):
            write_stream(stream.pk)
            self.left.streams.append(api.get(f"/api/v1/streams/{stream.pk}").content.decode())
            page = self.page.get(reverse("stream", args=[self.shop.slug, stream.pk]))
            self.left.streams.append(page.content.decode())

    def talk(self, text: Text) -> None:
        add_comment(text=text, words=f"@bob {self.word}?", by=self.owner)

    def change_people(self) -> None:
        self.post("people_invite", email="nora@elsewhere.example", role=Role.VIEWER)
        mona = Membership.objects.in_workspace(self.shop).get(user__email__startswith="mona@")
        self.post("member_role", mona.pk, role=Role.ADMIN)
        self.post("member_remove", mona.pk)

    def spend(self) -> None:
        """Past a share of the key's cap, the workspace's budget and the month's products; and all of last week's."""
        key, _ = issue_key(workspace=self.shop, name=f"Script {self.word}", scopes=["write"])
        ApiKey.objects.in_workspace(self.shop).filter(pk=key.pk).update(spend_cap_nanos=NANOS_PER_DOLLAR)
        Workspace.objects.filter(pk=self.shop.pk).update(spend_cap_nanos=NANOS_PER_DOLLAR)
        budgets.apply_limits(self.shop.pk)
        attempt = Attempt(uuid.uuid4(), uuid.uuid4(), "offline", "offline", "economy", "1")
        budgets.reserve(Payer(self.shop.pk, "api", api_key_id=key.pk), attempt, NANOS_PER_DOLLAR // 2)
        budgets.dispatch(attempt.id)
        budgets.settle(attempt.id, cost_nanos=NANOS_PER_DOLLAR // 2, tokens=Tokens(), is_answer=True)
        book(self.shop, api_key_id=key.pk, cost_nanos=NANOS_PER_DOLLAR)
        with across_workspaces():
            tell_last_week()

    def ask_for_data(self) -> None:
        write_archive(request_archive(workspace=self.shop, requested_by=self.owner).pk)

    def change_what_is_paid(self) -> None:
        change_plan(workspace=self.shop, plan=Plan.objects.create(slug="small", name="Small", products_per_month=7))
        confirm(take(self.shop.pk, "A-1"))
        tell(self.shop.pk, "invoice/1/1", headline="a payment did not go through", words="We could not collect $9.")
        with across_workspaces():
            alarm("meter/1", "Stripe could not count some reported usage.", self.shop)

    def sign_in_and_up(self) -> None:
        password = "a long pass phrase"
        for browser in ("Firefox/1 Windows", "Safari/1 iPhone"):
            client = Client(headers={"User-Agent": browser})
            client.post(reverse("account_login"), {"login": self.owner.email, "password": password})
        Client().post(reverse("account_reset_password"), {"email": self.owner.email})
        Client().post(reverse("account_signup"), {"email": self.owner.email, "password1": password})
        Client().post(reverse("account_signup"), {"email": f"mia@{self.shop.slug}.example", "password1": password})

    def look_at_all_pages(self) -> None:
        for name in (name for name, (_, method) in PAGES.items() if method == "get"):
            self.look_at(name)

    def look_at(self, name: str) -> None:
        answer: Any = self.page.get(self.rows.page(name))
        content = b"".join(answer) if answer.streaming else answer.content
        self.left.pages.append(f"{answer.headers} {content.decode(errors='replace')}")

    def end(self) -> None:
        """The endpoint goes away, and then the workspace."""
        self.left.receiver.status = 410
        with entering(self.shop.pk):
            change_plan(workspace=self.shop, plan=Plan.objects.get(slug="pro"))
        self.send()
        with entering(self.shop.pk):
            owner = Membership.objects.in_workspace(self.shop).get(user=self.owner)
            deletion = request_deletion(workspace=self.shop, membership=owner)
            past = timezone.now() - timedelta(days=15)
            Deletion.objects.in_workspace(self.shop).filter(pk=deletion.pk).update(erases_at=past, next_run_at=past)
        self.send()
        erase_workspace(deletion.pk)


@pytest.fixture
def busy(shop: Workspace, alice: User, bob: User, left: Left, model: Provider, secret: str) -> Busy:
    User.objects.create_superuser("staff@contentopt.example", "a long pass phrase")
    return Busy(rows_of(shop), alice, left, word=f"word-{uuid.uuid4()}")


def test_nothing_of_the_other_is_in_mails_webhooks_streams_or_the_log(
    busy: Busy, left: Left, theirs: Tenant, secret: str
) -> None:
    cache.delete_pattern("*")  # type: ignore[attr-defined]  # what is told, comes from rows with the secret in them
    busy.do_everything()

    assert left.channels_with(secret) == set()
    # All of it did leave, and what one typed oneself is where it belongs, so the other's would have been seen; the log
    # holds no shop's words at all.
    folder = product_settings.BASE_DIR / "templates" / "emails"
    assert left.mail_templates == {f"emails/{path.name}" for path in folder.iterdir()}
    assert left.events() == set(EVENT_TYPES)
    assert left.channels_with(busy.word) == {"mails", "webhooks", "event streams", "pages"}
    structlog.get_logger().warning("said", by=secret)
    logging.getLogger("django").warning("Said by %s", secret)
    assert left.by_channel()["log"].count(secret) == 2
