"""The usage pages: overview, ledger, text, and what is downloaded from them."""

from __future__ import annotations

import csv
import io
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.dollars import decimal_usd
from accounts.models import Budget, Role, UsageEntry, User, Workspace
from accounts.positions import Position
from accounts.services.keys import issue_key
from generation.engine.items import write_item
from generation.models import LlmCall, Run, Text
from generation.services import ledger, texts
from tests.conftest import SignIn, member
from tests.factories import first_product, make_catalogue, make_line, make_run

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
DOLLAR = 1_000_000_000


@pytest.fixture
def client(alice: User, shop: Workspace, sign_in: SignIn) -> Client:
    return sign_in(alice)


def page(client: Client, name: str, shop: Workspace, query: str = "", **headers: str) -> str:
    response = client.get(f"{reverse(name, args=[shop.slug])}{query}", headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def downloaded(client: Client, name: str, shop: Workspace, query: str = "") -> list[dict[str, str]]:
    response: Any = client.get(f"{reverse(name, args=[shop.slug])}{query}")
    assert response["Content-Disposition"].startswith("attachment")
    return list(csv.DictReader(io.StringIO(b"".join(response).decode(), newline="")))


def open_budget(shop: Workspace, **amounts: int | None) -> None:
    month = timezone.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    Budget.objects.create(
        workspace=shop,
        scope="workspace",
        scope_id=shop.pk,
        period_start=month,
        period_end=month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1),
        **amounts,
    )


def test_an_empty_workspace_is_told_what_to_do_next(client: Client, shop: Workspace) -> None:
    for name in ("usage", "usage_ledger"):
        assert reverse("run_new", args=[shop.slug]) in page(client, name, shop).split("<main", 1)[1]


def test_the_overview_says_what_is_spent_held_left_and_saved(client: Client, shop: Workspace) -> None:
    open_budget(shop, spent_nanos=3 * DOLLAR, reserved_nanos=DOLLAR, limit_nanos=25 * DOLLAR)
    for _ in range(3):
        make_line(shop)
    make_line(shop, source="exact", saved_nanos=270_000_000)

    shown = page(client, "usage", shop)

    assert "$3.00 spent and $1.00 held of $25.00" in shown
    assert "$21.00" in shown
    assert "1 of 4 came from earlier work" in shown
    assert "$0.27 not spent" in shown


def test_a_used_up_cap_is_said_with_when_it_ends(client: Client, shop: Workspace) -> None:
    open_budget(shop, spent_nanos=25 * DOLLAR, reserved_nanos=0, limit_nanos=25 * DOLLAR)

    assert "$25.00 is spent or held already, so nothing more is written until 1 " in page(client, "usage", shop)


@pytest.mark.parametrize("by", ["day", "member", "key", "run", "model"])
@pytest.mark.parametrize("span", ["7", "30", "90", "month"])
def test_every_tab_and_span_works_with_htmx_and_without(client: Client, shop: Workspace, by: str, span: str) -> None:
    make_line(shop, cost_nanos=1_234_000_000)
    query = f"?by={by}&span={span}&show=money"

    whole, part = page(client, "usage", shop, query), page(client, "usage", shop, query, **HTMX)

    assert "<html" in whole
    assert "<html" not in part
    for shown in (whole, part):
        assert f'id="by-{by}"' in shown
        assert "$1.23" in shown


def test_nonsense_in_the_address_is_as_if_it_were_not_there(client: Client, shop: Workspace) -> None:
    make_line(shop)

    assert "30 days" in page(client, "usage", shop, "?by=planet&span=-1&show=%00")
    assert "claude-haiku-5-5" in page(client, "usage_ledger", shop, "?before=x~y&first=no&member=no&page=9")


def test_a_groups_link_leads_to_its_lines(client: Client, shop: Workspace, alice: User) -> None:
    make_line(shop, user_id=alice.pk, model_id="gpt-6-luna")
    make_line(shop)
    today = timezone.now().date()

    shown = page(client, "usage", shop, "?by=member&span=7")

    mine = f"?first={today - timedelta(days=6)}&last={today}&member={alice.pk}"
    assert mine.replace("&", "&amp;") in shown
    lines = downloaded(client, "usage_csv", shop, mine)
    assert [line["model"] for line in lines] == ["gpt-6-luna"]


def test_the_grouped_table_is_downloaded_exactly(client: Client, shop: Workspace) -> None:
    key, _ = issue_key(workspace=shop, name="=HYPERLINK(1)", scopes=["write"])
    make_line(shop, api_key_id=key.pk, cost_nanos=1)

    rows = downloaded(client, "usage_table_csv", shop, "?by=key")

    assert [(row["id"], row["name"], row["texts"], row["cost_usd"]) for row in rows] == [
        (str(key.pk), "'=HYPERLINK(1)", "1", "0.000000001")
    ]


def test_pages_of_the_ledger_neither_skip_nor_repeat(shop: Workspace, other_shop: Workspace) -> None:
    """Many lines of the very same moment, and lines that arrive while somebody turns the pages."""
    moment = timezone.now() - timedelta(hours=1)
    made = [make_line(shop, moment - timedelta(seconds=n // 4)) for n in range(23)]
    make_line(other_shop, moment)

    seen: list[UsageEntry] = []
    before = None
    while True:
        found, before = ledger.ledger_page(shop, ledger.Choice(), before=before, size=5)
        seen += found
        make_line(shop, timezone.now())
        if before is None:
            break
        before = Position.parse(str(before))

    assert [line.pk for line in seen] == [
        line.pk for line in sorted(made, key=lambda line: (line.occurred_at, line.pk), reverse=True)
    ]


def test_the_ledger_page_goes_on_to_the_last_line(client: Client, shop: Workspace) -> None:
    for n in range(60):
        make_line(shop, timezone.now() - timedelta(minutes=n), model_id=f"model-{n:02}")

    first = page(client, "usage_ledger", shop)
    older = first.split('rel="next" href="', 1)[1].split('"', 1)[0]
    second = page(client, "usage_ledger", shop, older)

    rows = [part.split("</table>")[0] for part in (first.split("<tbody>")[1], second.split("<tbody>")[1])]
    assert [row.count("<tr>") for row in rows] == [50, 10]
    assert "model-59" in rows[1]
    assert 'rel="next"' not in second


def narrowing(shop: Workspace, alice: User) -> dict[str, tuple[str, dict[str, Any]]]:
    """What is asked for, and the columns of the one line that fits."""
    key, _ = issue_key(workspace=shop, name="Script", scopes=["write"])
    gone = uuid.uuid4()
    run = make_run(make_catalogue(shop))
    return {
        "member": (f"member={alice.pk}", {"user_id": alice.pk}),
        "nobody": ("member=none", {"user_id": None}),
        "key": (f"key={key.pk}", {"api_key_id": key.pk}),
        "removed key": (f"key={gone}", {"api_key_id": gone}),
        "run": (f"run={run.pk}", {"run_id": run.pk}),
        "model": ("model=gpt-6-luna", {"model_id": "gpt-6-luna"}),
        "source": ("source=template", {"source": "template"}),
    }


@pytest.mark.parametrize("name", ["member", "nobody", "key", "removed key", "run", "model", "source"])
def test_the_ledger_is_narrowed(client: Client, shop: Workspace, alice: User, bob: User, name: str) -> None:
    query, columns = narrowing(shop, alice)[name]
    usual: dict[str, Any] = {"user_id": bob.pk, "provider": "unwanted"}
    make_line(shop, **usual)
    make_line(shop, **{**usual, "provider": "wanted", **columns})

    assert [line["provider"] for line in downloaded(client, "usage_csv", shop, f"?{query}")] == ["wanted"]
    assert "No line fits" not in page(client, "usage_ledger", shop, f"?{query}")


def test_days_are_whole_days_of_utc(client: Client, shop: Workspace) -> None:
    day = datetime.fromisoformat("2026-03-05T00:00:00+00:00")
    for moment in (day, day + timedelta(days=1, microseconds=-1), day + timedelta(days=1), day - timedelta(seconds=1)):
        make_line(shop, moment)

    lines = downloaded(client, "usage_csv", shop, "?first=2026-03-05&last=2026-03-05")

    assert [line["occurred_at"][:19] for line in lines] == ["2026-03-05T23:59:59", "2026-03-05T00:00:00"]


def test_a_line_leads_to_its_text(client: Client, shop: Workspace) -> None:
    run = make_run(make_catalogue(shop))
    for item in run.items.all():
        write_item(item.pk)
    product = first_product(run.catalogue)  # type: ignore[arg-type]
    written = Text.objects.in_workspace(shop).get(product=product)
    texts.edit_text(product=product, fields={"description": "An apron."}, editor=None)
    product.refresh_from_db()
    loose = Text.objects.create(workspace=shop, brief={}, description="A loose one.", source="model", fingerprint="")
    for text in (written, product.text, loose):
        assert text is not None
        make_line(shop, text_id=text.pk)

    shown = page(client, "usage_ledger", shop)

    assert f'href="{reverse("product", args=[shop.slug, product.pk])}"' in shown
    for text in (written, loose):
        address = reverse("text", args=[shop.slug, text.pk])
        assert f'href="{address}"' in shown
        assert client.get(address).status_code == 200


def test_a_line_says_in_words_why_there_is_no_text(client: Client, shop: Workspace) -> None:
    call = LlmCall.objects.create(
        workspace=shop, fingerprint="", provider="anthropic", model_id="m", tier="economy", attempt=1, outcome="refused"
    )
    make_line(shop, answers=0, reservation_id=call.pk)
    make_line(shop, answers=0, basis="ceiling", cost_nanos=9_000)
    make_line(shop, basis="correction", calls=0, cost_nanos=-4_000)
    make_line(shop, text_id=uuid.uuid4())

    shown = page(client, "usage_ledger", shop)

    for words in ("did not pass the check", "the most it can cost is counted", "The truth about an earlier line"):
        assert words in shown
    assert "−$0.000004" in shown
    assert "Deleted since" in shown


def test_another_workspaces_names_and_texts_stay_its_own(
    client: Client, shop: Workspace, other_shop: Workspace, charlie: User
) -> None:
    foreign = Text.objects.create(workspace=other_shop, brief={}, description="Secret.", source="model", fingerprint="")
    key, _ = issue_key(workspace=other_shop, name="Their key", scopes=["write"])
    make_line(shop, text_id=foreign.pk, user_id=charlie.pk)
    make_line(shop, api_key_id=key.pk)

    shown = page(client, "usage_ledger", shop)

    assert "Secret." not in shown
    assert str(charlie) not in shown
    assert "Their key" not in shown
    assert "Removed member" in shown
    assert "Removed key" in shown


@pytest.mark.parametrize("name", ["usage_ledger", "usage_caps", "usage"])
def test_queries_do_not_grow_with_rows(client: Client, shop: Workspace, name: str) -> None:
    def queries_with_more(count: int) -> int:
        for n in range(count):
            text = Text.objects.create(workspace=shop, brief={}, description="T.", source="model", fingerprint="")
            key, _ = issue_key(workspace=shop, name="K", scopes=["write"])
            user = member(shop, f"{uuid.uuid4()}@alder-goods.example", Role.EDITOR)
            moment = timezone.now() - timedelta(days=n % 5)
            make_line(shop, moment, text_id=text.pk, api_key_id=key.pk, run_id=uuid.uuid4(), user_id=user.pk)
        with CaptureQueriesContext(connection) as queries:
            page(client, name, shop, "?by=member")
        return len(queries)

    page(client, name, shop, "?by=member")  # which workspace one was in last is noted once
    assert queries_with_more(2) == queries_with_more(18)


def test_the_ledgers_csv_is_complete_and_exact(client: Client, shop: Workspace, alice: User) -> None:
    made = [
        make_line(shop, timezone.now() - timedelta(seconds=n // 2), cost_nanos=n * 7 + 1, user_id=alice.pk)
        for n in range(7)
    ]
    made.append(make_line(shop, basis="correction", calls=0, cost_nanos=-123_456_789))

    rows = downloaded(client, "usage_csv", shop)

    assert {row["id"]: row["cost_usd"] for row in rows} == {str(line.pk): decimal_usd(line.cost_nanos) for line in made}
    assert {row["member"] for row in rows} == {str(alice), ""}
    by_id = {str(line.pk): line for line in made}
    for row in rows:
        assert datetime.fromisoformat(row["occurred_at"]) == by_id[row["id"]].occurred_at


def test_the_csv_is_read_in_batches(
    shop: Workspace,
) -> None:
    made = {make_line(shop, timezone.now() - timedelta(seconds=n // 3)).pk for n in range(10)}

    lines = ledger.ledger_lines(shop, ledger.Choice(), size=4)
    with CaptureQueriesContext(connection) as queries:
        found = [next(lines) for _ in range(4)]
    found += lines

    assert len(queries) == 1
    assert sorted(line.pk for line in found) == sorted(made)


def test_a_runs_page_says_what_of_its_cap_is_spent(client: Client, shop: Workspace) -> None:
    run = make_run(make_catalogue(shop))
    Run.objects.in_workspace(shop).filter(pk=run.pk).update(cap_nanos=5 * DOLLAR)
    Budget.objects.in_workspace(shop).filter(scope_id=run.pk).update(limit_nanos=5 * DOLLAR, spent_nanos=2 * DOLLAR)

    detail = client.get(reverse("run_detail", args=[shop.slug, run.pk])).content.decode()
    listed = page(client, "run_list", shop)

    assert "$2.00" in detail
    assert "of your cap of $5.00" in detail
    assert "$2.00" in listed
    assert "of $5.00" in listed


def test_a_run_is_started_with_a_cap(client: Client, shop: Workspace) -> None:
    catalogue = make_catalogue(shop)
    wishes = {"tone": "neutral", "length": "medium", "language": "en", "channel": "web", "which": "all"}

    refused = client.post(reverse("run_new", args=[shop.slug]), {**wishes, "catalogue": catalogue.pk, "cap": "little"})
    client.post(reverse("run_new", args=[shop.slug]), {**wishes, "catalogue": catalogue.pk, "cap": "4.50"})

    assert 'value="little"' in refused.content.decode()
    run = Run.objects.in_workspace(shop).get()
    assert run.cap_nanos == 4_500_000_000
    assert "cap" not in run.brief


def test_home_says_what_is_spent_and_left_this_month(client: Client, shop: Workspace) -> None:
    open_budget(shop, spent_nanos=3 * DOLLAR, reserved_nanos=0, limit_nanos=25 * DOLLAR)

    assert "$3.00 spent, $22.00 left of $25.00" in page(client, "workspace_home", shop)
