"""`manage.py describe IN.csv -o OUT.csv`: the main job in a terminal."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Workspace
from generation.models import LlmCall, Run, Text
from tests.factories import make_file, numbered_rows
from tests.races.committed import db
from tests.races.product import eventually
from tests.servers import KEY, ROOT, Provider, run_provider

__all__ = ["db"]  # committed: the command writes in threads and processes of its own


@pytest.fixture(scope="module")
def provider_process() -> Iterator[Provider]:
    with run_provider() as provider:
        yield provider


@pytest.fixture
def provider(provider_process: Provider) -> Provider:
    provider_process.reset()
    return provider_process


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "products.csv"
    path.write_bytes(make_file())
    return path


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "described.csv"


def describe(shop: Workspace, source: Path, output: Path, *options: str) -> None:
    call_command("describe", str(source), "-o", str(output), "--workspace", shop.slug, *options)


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def without_description(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{**row, "description": ""} for row in rows]


def test_format_and_price_come_before_the_result(
    shop: Workspace, source: Path, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    describe(shop, source, output)

    shown = " ".join(capsys.readouterr().out.split())
    assert "products.csv generic · utf-8 · 3 rows · 3 products" in shown
    assert "Price: at most $0.0000" in shown
    assert shown.index("3 products") < shown.index("Price:") < shown.index("3/3") < shown.index("written 3")


def test_only_written_cells_differ(shop: Workspace, source: Path, output: Path) -> None:
    describe(shop, source, output)

    written = rows_of(output.read_bytes())
    assert all(row["description"] for row in written)
    assert without_description(written) == rows_of(source.read_bytes())
    assert output.read_bytes().startswith(make_file([]).rstrip(b"\n"))


def test_json_is_one_object_and_nothing_else(
    shop: Workspace, source: Path, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    describe(shop, source, output, "--json")

    shown = capsys.readouterr()
    summary = json.loads(shown.out)
    assert {name: summary[name] for name in ("format", "rows", "products", "written", "failed", "cost_usd")} == {
        "format": "generic",
        "rows": 3,
        "products": 3,
        "written": 3,
        "failed": 0,
        "cost_usd": "0.000000000",
    }
    assert "Price:" in shown.err


def test_texts_that_nobody_approved_are_left_out_where_the_workspace_wants_that(
    shop: Workspace, source: Path, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Workspace.objects.filter(pk=shop.pk).update(exports_only_approved=True)

    describe(shop, source, output, "--json")
    summary = json.loads(capsys.readouterr().out)
    describe(shop, source, output)

    assert (summary["written"], summary["left_out"]) == (3, 3)
    assert output.read_bytes() == source.read_bytes()
    said = " ".join(capsys.readouterr().out.split())
    assert "3 texts are left out, because only approved ones are exported: 3 drafts, 0 in review." in said
    assert f"/w/{shop.slug}/products/?catalogue=" in said


def test_second_time_writes_nothing_again(shop: Workspace, source: Path, output: Path) -> None:
    describe(shop, source, output)
    first = output.read_bytes()
    texts = set(Text.objects.in_workspace(shop).values_list("pk", flat=True))

    describe(shop, source, output)

    assert output.read_bytes() == first
    assert set(Text.objects.in_workspace(shop).values_list("pk", flat=True)) == texts


def test_everything_is_written_after_a_run_for_the_missing_ones_alone(shop: Workspace, tmp_path: Path) -> None:
    source, output = tmp_path / "half.csv", tmp_path / "out.csv"
    source.write_bytes(make_file(["A-1,Linen Apron,linen,sand,Ours.", "A-2,Oak Board,oak,natural,"]))
    describe(shop, source, output, "--only-missing")
    assert [row["description"] == "Ours." for row in rows_of(output.read_bytes())] == [True, False]

    describe(shop, source, output)

    assert "Ours." not in [row["description"] for row in rows_of(output.read_bytes())]


def test_refused_product_is_reported_and_the_others_are_written(
    shop: Workspace, source: Path, output: Path, provider: Provider, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_BASE_URL, settings.BULK_WORKERS = KEY, provider.url, 1
    invented = {"text": "Made of solid gold in Paris, it weighs 77 kg."}
    provider.behave(*[invented] * 4, {})  # two texts of each tier that may be asked

    describe(shop, source, output, "--json")

    summary = json.loads(capsys.readouterr().out)
    assert (summary["written"], summary["failed"]) == (2, 1)
    assert "states only this product's facts" in summary["failures"][0]["reason"]
    assert float(summary["cost_usd"]) > 0


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b"PK\x03\x04" + bytes(200), "not imported", id="zip"),
        pytest.param(b"width,height\n1,2\n3,4\n", "not imported", id="no products"),
    ],
)
def test_refused_file_says_why(shop: Workspace, source: Path, output: Path, content: bytes, reason: str) -> None:
    source.write_bytes(content)

    with pytest.raises(CommandError, match=reason):
        describe(shop, source, output)

    assert not output.exists()


def test_unknown_workspace_is_named(db: None, source: Path, output: Path) -> None:
    with pytest.raises(CommandError, match="There is no workspace “nowhere”"):
        call_command("describe", str(source), "-o", str(output), "--workspace", "nowhere")


def test_output_that_cannot_be_written_is_refused_before_anything_is_spent(shop: Workspace, source: Path) -> None:
    for output, reason in [
        (source, "another one"),
        (source.parent, "is a folder"),
        (source.parent / "no" / "o.csv", "no such folder"),
    ]:
        with pytest.raises(CommandError, match=reason):
            describe(shop, source, output)

    assert not Run.objects.in_workspace(shop).exists()


def start_command(shop: Workspace, source: Path, output: Path, provider: Provider) -> subprocess.Popen[str]:
    """The command as people start it, on the test's database."""
    at = connection.settings_dict
    ours = {
        "DJANGO_SETTINGS_MODULE": "contentopt.settings",
        "DEBUG": "true",
        "DATABASE_URL": f"postgresql://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}",
        "REDIS_URL": settings.REDIS_URL,
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_BASE_URL": provider.url,
        "BULK_WORKERS": "2",
        "JOB_LEASE_SECONDS": "2",
        "LOG_LEVEL": "WARNING",
    }
    command = [sys.executable, "manage.py", "describe", str(source), "-o", str(output), "--workspace", shop.slug]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **ours}, **pipes)


@pytest.mark.processes
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_stopped_command_goes_on_where_it_was(
    shop: Workspace, source: Path, output: Path, provider: Provider, number: signal.Signals
) -> None:
    source.write_bytes(make_file(numbered_rows(30)))
    provider.behave({"delay_ms": 700})  # several products share a call, so there are few of them
    first = start_command(shop, source, output, provider)
    assert eventually(Text.objects.in_workspace(shop).exists, pause=0.02), first.communicate()[0]
    first.send_signal(number)
    shown, _ = first.communicate(timeout=90)
    assert first.returncode == (130 if number == signal.SIGINT else -signal.SIGKILL), shown
    assert not output.exists()
    kept = {text.pk: text.run_item_id for text in Text.objects.in_workspace(shop)}
    assert 0 < len(kept) < 30
    if number == signal.SIGINT:  # workers that are up must not go on, and go on spending
        assert Run.objects.in_workspace(shop).get().state == Run.State.PAUSED

    second = start_command(shop, source, output, provider)
    shown, _ = second.communicate(timeout=90)

    assert second.returncode == 0, shown
    assert f"Going on: {len(kept)} of 30 are written already." in " ".join(shown.split())
    assert "Price: at most $" in shown
    assert all(row["description"] for row in rows_of(output.read_bytes()))
    assert Text.objects.in_workspace(shop).count() == 30
    assert kept.keys() <= set(Text.objects.in_workspace(shop).values_list("pk", flat=True))
    calls = LlmCall.objects.in_workspace(shop)
    assert calls.filter(run_item__in=kept.values()).count() == len(kept)
    assert calls.filter(outcome=LlmCall.Outcome.ACCEPTED).count() == 30
    sent, served = {str(call.batch_id or call.pk) for call in calls}, set(provider.meter()["call_ids"])
    silent = calls.filter(outcome__in=(LlmCall.Outcome.DISPATCHED, LlmCall.Outcome.UNKNOWN))
    assert served <= sent
    # What was killed on its way out may not have come there.
    assert sent - served <= {str(call.batch_id or call.pk) for call in silent}


def test_described_later_it_waits_for_the_provider_and_costs_half(
    shop: Workspace, source: Path, output: Path, provider: Provider, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_BASE_URL = KEY, provider.url
    settings.BATCH_POLL_SECONDS = 0.2
    provider.treat_batches(seconds=1)

    describe(shop, source, output, "--later", "--json", "--yes")

    said = capsys.readouterr()
    assert json.loads(said.out)["written"] == 3
    assert "without --later: in minutes" in said.err
    assert [batch["size"] for batch in provider.meter()["batches"]] == [3]
    assert all(row["description"] for row in rows_of(output.read_bytes()))


def test_a_dearer_tier_is_asked_for_as_far_as_the_plan_goes(shop: Workspace, source: Path, output: Path) -> None:
    describe(shop, source, output, "--tier", "premium")
    assert Run.objects.in_workspace(shop).get().brief["tier"] == "premium"

    Workspace.objects.filter(pk=shop.pk).update(plan="free")
    with pytest.raises(CommandError, match="Free plan writes at economy at most"):
        describe(shop, source, output, "--tier", "standard")
