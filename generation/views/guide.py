"""How to use the API, as programs that run: in three languages, with the workspace's own products in them."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from accounts.middleware import WorkspaceRequest
from accounts.models import Scope
from accounts.permissions import require_scope
from generation.models import Product

LANGUAGES = {"sh": "curl", "py": "Python", "mjs": "JavaScript"}  # by the ending of their files
PLACEHOLDER = "PRODUCT-ID"  # where the workspace has no product with a text yet


@dataclass(frozen=True, slots=True)
class Example:
    name: str
    title: str
    words: str


EXAMPLES = (
    Example(
        "describe",
        "Describe one product",
        "The text states only what the product's facts state. Under the same Idempotency-Key the same request gives "
        "the same reply again and is paid once, so after a broken connection simply send it again.",
    ),
    Example(
        "bulk",
        "Describe several at once",
        "Up to 100, each with its own result: a wrong one does not stop the others, and your limits and caps hold for "
        "each. POST /texts/bulk edits as many texts in the same way.",
    ),
    Example(
        "run",
        "A whole file: upload, write, download",
        "What comes back is your own file, byte for byte, with only the described cells changed.",
    ),
    Example(
        "pages",
        "Go through a list",
        "Lists come in pages. Follow “next” until it is null: what is added meanwhile moves nothing, so no row is "
        "given twice and none is left out.",
    ),
    Example(
        "edit",
        "Edit a text, but not over somebody else's edit",
        "Every GET gives an ETag. Sent back as If-Match, it lets a change through only while nothing changed since; "
        "sent as If-None-Match, it saves you what you have already (304).",
    ),
)


def code_of(name: str, ending: str, *, url: str, product: str) -> str:
    return render_to_string(f"api/examples/{name}.{ending}.txt", {"url": url, "product": product})


@require_scope(Scope.READ)
def api_guide(request: WorkspaceRequest, slug: str) -> HttpResponse:
    url = request.build_absolute_uri("/api/v1")
    written = Product.objects.in_workspace(request.workspace).written().order_by("row_number").first()
    product = str(written.pk) if written else PLACEHOLDER
    sections = [
        (
            example,
            [
                (ending, language, code_of(example.name, ending, url=url, product=product))
                for ending, language in LANGUAGES.items()
            ],
        )
        for example in EXAMPLES
    ]
    context = {
        "sections": sections,
        "url": url,
        "has_product": written is not None,
        "keep_hours": settings.IDEMPOTENCY_KEEP_HOURS,
    }
    return render(request, "api/guide.html", context)
