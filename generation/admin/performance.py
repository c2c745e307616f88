"""How models do, drawn for staff: the last day, week or month, all models or one, task by task."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse

from accounts.dollars import round_usd
from generation.health import down_models
from generation.services import performance
from generation.services.performance import SPANS, ModelTask, Performance, Span, Step

# The frame that a drawing stands in; the page stretches it.
WIDTH, HEIGHT = 300, 100
GAP = 0.2  # of a step
Part = tuple[str, float]


@dataclass(frozen=True, slots=True)
class Piece:
    """One rectangle. Lengths as strings, so that no locale gets at their decimal point."""

    look: str
    y: str
    height: str


@dataclass(frozen=True, slots=True)
class Column:
    x: str
    width: str
    pieces: list[Piece]
    title: str


@dataclass(frozen=True, slots=True)
class Drawing:
    name: str
    summary: str
    highest: str
    legend: list[tuple[str, str]]
    columns: list[Column]


def draw(
    name: str,
    steps: Sequence[Step],
    parts: Callable[[Performance], list[Part]],
    said: Callable[[float], str],
    summary: str,
    legend: dict[str, str],
) -> Drawing:
    """A column for each step, its parts one on the other."""
    stacks = [parts(step.performance) for step in steps]
    highest = max((sum(size for _, size in stack) for stack in stacks), default=0)
    step_width = WIDTH / max(len(steps), 1)
    columns = [
        Column(
            x=_place(number * step_width),
            width=_place(step_width * (1 - GAP)),
            pieces=_stacked(stack, highest or 1),
            title=f"{_moment(step.begins)}: "
            + ", ".join(f"{said(size)} {legend[look]}" for look, size in stack if size),
        )
        for number, (step, stack) in enumerate(zip(steps, stacks, strict=True))
        if any(size for _, size in stack)
    ]
    return Drawing(name, summary, said(highest), list(legend.items()), columns)


def _stacked(stack: Sequence[Part], highest: float) -> list[Piece]:
    pieces, base = [], float(HEIGHT)
    for look, size in stack:
        height = HEIGHT * size / highest
        base -= height
        pieces.append(Piece(look, _place(base), _place(height)))
    return pieces


def _place(length: float) -> str:
    return f"{length:.2f}"


def _moment(moment: datetime) -> str:
    return f"{moment:%-d %b, %H:%M}"


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.1f} s" if milliseconds >= 1000 else f"{milliseconds:.0f} ms"


def drawings(steps: Sequence[Step], total: Performance) -> list[Drawing]:
    return [
        draw(
            "Calls",
            steps,
            lambda p: [("bar-cost", p.accepted), ("bar-refused", p.refused), ("bar-over", p.failed)],
            lambda count: f"{count:,.0f}",
            f"{total.calls:,}",
            {"bar-cost": "accepted", "bar-refused": "refused by the check", "bar-over": "failed"},
        ),
        draw(
            "Time to a text",
            steps,
            lambda p: [("bar-cost", p.median_ms or 0), ("bar-slow", (p.slow_ms or 0) - (p.median_ms or 0))],
            _seconds,
            f"{_seconds(total.median_ms)}, half of them" if total.median_ms is not None else "–",
            {"bar-cost": "half are faster", "bar-slow": "more until 19 of 20 are"},
        ),
        draw(
            "Cost",
            steps,
            lambda p: [("bar-cost", p.cost_nanos)],
            lambda nanos: round_usd(int(nanos)),
            round_usd(total.cost_nanos),
            {"bar-cost": "billed"},
        ),
        draw(
            "Tokens sent",
            steps,
            lambda p: [("bar-saved", p.cached_tokens), ("bar-cost", p.input_tokens + p.cache_write_tokens)],
            lambda count: f"{count:,.0f}",
            f"{total.cached_percent:.0f} % cached",
            {"bar-saved": "read from the vendor's cache", "bar-cost": "not cached"},
        ),
    ]


def staff_models(request: HttpRequest) -> HttpResponse:
    span: Span = SPANS.get(request.GET.get("span", ""), SPANS["day"])
    start = performance.start_of(span)
    provider, _, model_id = request.GET.get("model", "").partition("/")
    calls = performance.finished_since(start)
    rows: list[ModelTask] = performance.by_model_and_task(calls)
    if provider:
        calls = performance.finished_since(start, provider=provider, model_id=model_id)
    total = performance.in_all(calls)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "How models do",
        "spans": SPANS.values(),
        "span": span,
        "start": start,
        "model": f"{provider}/{model_id}" if provider else "",
        "total": total,
        "drawings": drawings(performance.by_step(calls, span, start), total) if total.calls else [],
        "rows": rows,
        "models_url": reverse("admin:generation_llmmodel_changelist"),
        "down": sorted(down_models()),
    }
    return render(request, "admin/models.html", context)


# For staff only, as everything below the admin site.
urlpatterns = [path("models/", admin.site.admin_view(staff_models), name="staff_models")]
