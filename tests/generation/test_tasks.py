"""What a request may ask for besides a description: bullets, a rewriting, a translation."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.budgets import Payer
from accounts.models import Workspace
from generation.engine.checking import complaints_about
from generation.engine.items import write_item
from generation.facts import Brief, Task, brief_from, brief_settings, extract_facts, fingerprint
from generation.llm.replies import compose_missing, join_reply, split_reply
from generation.models import Catalogue, LlmCall, RunItem, Text
from generation.paraphrase import wording_of
from generation.services import texts
from generation.services.runs import estimate_brief
from tests.conftest import ApiClient
from tests.factories import first_product, make_catalogue
from tests.servers import KEY, Provider

APRON = {"title": "Linen Apron", "attributes": {"Material": "linen", "Weight": "320 g"}, "features": ["two pockets"]}
FACTS = extract_facts({**APRON})  # type: ignore[typeddict-item]
OWN = "The best apron ever! Made of linen, waterproof, with two pockets."


@pytest.fixture
def vendor(provider: Provider, settings: Any) -> Provider:
    settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_BASE_URL = KEY, provider.url
    return provider


@pytest.fixture
def client(shop: Workspace, api: ApiClient) -> Client:
    return api(shop)


def describe(client: Client, **asked: Any) -> Any:
    return client.post("/api/v1/descriptions", {"product": APRON, **asked}, content_type="application/json")


# --- Bullets ----------------------------------------------------------------------------------------------------------


def test_bullets_are_read_from_a_plain_reply() -> None:
    reply = "The apron.\n\nSEO title: Apron\n**Benefit bullets:**\n- Made of linen\n• Weighs 320 g\n\n- Two pockets"

    assert split_reply(reply, ("description", "bullets")) == {
        "description": "The apron.",
        "bullets": "- Made of linen\n• Weighs 320 g\n- Two pockets",
    }


def test_lists_of_the_description_stay_in_it() -> None:
    reply = "The apron.\n\n- Made of linen\n- Weighs 320 g"

    assert split_reply(reply, ("description", "bullets")) == {"description": reply}


def test_five_bullets_at_most_each_within_its_length() -> None:
    bullets = "\n".join(f"- Bullet {n} " + "word " * 80 for n in range(8))

    kept = compose_missing({"description": "The apron.", "bullets": bullets}, ("description", "bullets"), FACTS)

    lines = kept["bullets"].splitlines()
    assert len(lines) == 5
    assert all(len(line) <= 250 and line.startswith("Bullet") for line in lines)


def test_joining_and_splitting_keep_bullets() -> None:
    values = {"description": "The apron.", "seo_title": "Apron", "bullets": "Made of linen\nWeighs 320 g"}
    fields = ("description", "seo_title", "bullets")

    assert compose_missing(split_reply(join_reply(values, fields), fields), fields, FACTS) == values


def test_each_bullet_is_checked() -> None:
    brief = Brief(FACTS, fields=("description", "bullets"))
    fields = {"description": "The Linen Apron is made of linen.", "bullets": "Made of linen\nMade of oak"}

    assert complaints_about(fields, brief) == ["The material “oak” is not among this product's facts."]


@pytest.mark.django_db
def test_bullets_come_as_a_list_and_can_be_edited(shop: Workspace, client: Client, vendor: Provider) -> None:
    fields = '{"description": "The apron is linen.", "bullets": "- Made of linen\\n- Weighs 320 g"}'
    vendor.behave({"text": fields})

    assert describe(client, fields=["bullets"]).json()["bullets"] == ["Made of linen", "Weighs 320 g"]

    vendor.behave({"text": '{"description": "The apron is linen.", "bullets": "- Made of linen"}'})
    product = first_product(make_catalogue(shop))
    text = texts.rewrite(product=product, changes={"fields": ["description", "bullets"]})
    changed = client.patch(
        f"/api/v1/texts/{text.pk}", {"bullets": ["Linen", "Sand"]}, content_type="application/json"
    ).json()
    assert changed["bullets"] == ["Linen", "Sand"]


@pytest.mark.django_db
def test_the_offline_writer_has_bullets_of_the_facts(client: Client) -> None:
    reply = describe(client, fields=["bullets"]).json()

    assert reply["bullets"] == ["Material: linen", "Weight: 320 g", "two pockets"]


# --- Rewriting and translating ----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_text_is_rewritten_under_the_facts(shop: Workspace, client: Client, vendor: Provider) -> None:
    vendor.behave({"text": OWN}, {"text": "The Linen Apron is made of linen and has two pockets."})

    reply = describe(client, task="rewrite", original=OWN).json()

    assert reply["text"] == "The Linen Apron is made of linen and has two pockets."
    asked = vendor.requests()[-1]
    assert "waterproof" in asked["messages"][0]["content"].split("<shop_text>")[1]
    assert "Rewrite the text in <shop_text>." in asked["system"][1]["text"]
    calls = LlmCall.objects.in_workspace(shop)
    assert {call.task for call in calls} == {"rewrite"}
    assert {call.prompt_version for call in calls} == {3}


@pytest.mark.django_db
def test_another_original_is_another_request(client: Client, vendor: Provider) -> None:
    vendor.behave({"text": "The Linen Apron is made of linen and has two pockets."})

    first = describe(client, task="rewrite", original=OWN).json()
    again = describe(client, task="rewrite", original=OWN).json()
    other = describe(client, task="rewrite", original="A linen apron.").json()
    plain = describe(client).json()

    assert [each["source"] for each in (first, again, other, plain)] == ["model", "exact", "model", "model"]


@pytest.mark.django_db
@pytest.mark.parametrize("asked", [{"task": "rewrite"}, {"original": OWN}, {"task": "title", "original": OWN}])
def test_a_task_without_its_text_is_refused(client: Client, asked: dict[str, str]) -> None:
    assert describe(client, **asked).status_code == 422


@pytest.mark.django_db
def test_another_language_translates_the_present_text(shop: Workspace, vendor: Provider) -> None:
    product = first_product(make_catalogue(shop))
    vendor.behave({"text": "The Linen Apron is made of linen."})
    texts.rewrite(product=product, changes={})
    product.refresh_from_db()
    vendor.behave({"text": "Die Linen Apron ist aus linen."})

    proposal = texts.rewrite(product=product, changes={"language": "de"})

    asked = vendor.requests()[-1]
    assert "The Linen Apron is made of linen." in asked["messages"][0]["content"]
    assert "Translate the text in <shop_text> into German." in asked["system"][1]["text"]
    assert (proposal.brief["task"], proposal.is_undecided) == ("translate", True)


@pytest.mark.django_db
def test_the_offline_writer_translates_by_writing_anew(shop: Workspace) -> None:
    product = first_product(make_catalogue(shop))
    texts.rewrite(product=product, changes={})
    product.refresh_from_db()

    proposal = texts.rewrite(product=product, changes={"language": "de"})

    assert proposal.brief["language"] == "de"
    assert "Apron" in proposal.description


def test_the_task_is_part_of_what_is_asked() -> None:
    plain, rewriting = Brief(FACTS), Brief(FACTS, task=Task.REWRITE, original=OWN)

    assert fingerprint(plain) != fingerprint(rewriting) != fingerprint(Brief(FACTS, task=Task.TRANSLATE, original=OWN))
    assert wording_of(plain).bucket != wording_of(rewriting).bucket
    assert brief_from(brief_settings(rewriting), FACTS) == rewriting


@pytest.mark.django_db
def test_the_price_shown_before_covers_a_long_original(shop: Workspace, client: Client, vendor: Provider) -> None:
    brief = Brief(FACTS, task=Task.REWRITE, original="“Quoted” <b>words</b>. " * 400)
    most = estimate_brief(payer=Payer(shop.pk, "api"), brief=brief).ceiling_nanos
    vendor.behave({"text": "The Linen Apron is waterproof."})

    describe(client, task="rewrite", original=brief.original)

    ceilings = [call.ceiling_nanos for call in LlmCall.objects.in_workspace(shop)]
    assert 0 < sum(ceilings) <= most
    assert not Text.objects.in_workspace(shop).exists()


# --- Runs -------------------------------------------------------------------------------------------------------------

ROWS = (
    "sku,name,material,color,description\n"
    'A-1,Linen Apron,linen,sand,"The best apron ever! An apron of linen, in sand."\n'
    "A-2,Oak Board,oak,natural,\n"
)


def run_of(catalogue: Catalogue, client: Client, **wishes: Any) -> dict[str, Any]:
    """Started over the API and brought to its end; what was estimated before."""
    body = {"catalogue": str(catalogue.pk), **wishes}
    estimate: dict[str, Any] = client.post("/api/v1/estimates", body, content_type="application/json").json()
    started = client.post("/api/v1/runs", body, content_type="application/json")
    assert started.status_code == 202, started.content
    for item in RunItem.objects.in_workspace(catalogue.workspace_id).filter(run_id=started.json()["id"]):
        assert write_item(item.pk) == "done"
    return estimate


@pytest.mark.django_db
def test_a_run_rewrites_the_texts_of_the_file_and_writes_those_it_lacks(
    shop: Workspace, client: Client, vendor: Provider
) -> None:
    catalogue = make_catalogue(shop, ROWS.encode())

    estimate = run_of(catalogue, client, task="rewrite")

    asked = {call.task for call in LlmCall.objects.in_workspace(shop)}
    assert asked == {"rewrite", "description"}
    rewriting = [each for each in vendor.requests() if "<shop_text>" in each["messages"][0]["content"]]
    assert rewriting
    assert all("best apron ever" in each["messages"][0]["content"].split("<shop_text>")[1] for each in rewriting)
    held = sum(call.ceiling_nanos for call in LlmCall.objects.in_workspace(shop))
    assert held <= Decimal(estimate["ceiling_usd"]) * 10**9


@pytest.mark.django_db
def test_a_run_translates_what_is_in_use_and_again_changes_nothing(
    shop: Workspace, client: Client, vendor: Provider
) -> None:
    catalogue = make_catalogue(shop, ROWS.encode())
    run_of(catalogue, client)
    run_of(catalogue, client, task="translate", language="de")
    requests = vendor.meter()["requests"]

    run_of(catalogue, client, task="translate", language="de")

    product = first_product(catalogue)
    assert product.text is not None
    assert (product.text.brief["task"], product.text.brief["language"], product.text.source) == (
        "translate",
        "de",
        "exact",
    )
    assert vendor.meter()["requests"] == requests


@pytest.mark.django_db
def test_what_is_too_long_to_work_on_is_described(shop: Workspace, client: Client, vendor: Provider) -> None:
    long = "An apron of linen in sand. " * 300
    catalogue = make_catalogue(
        shop, f'sku,name,material,color,description\nA-1,Linen Apron,linen,sand,"{long}"\n'.encode()
    )

    run_of(catalogue, client, task="rewrite")

    assert {call.task for call in LlmCall.objects.in_workspace(shop)} == {"description"}
