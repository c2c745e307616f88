from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import models
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import TenantQuerySet, WorkspaceRequired
from contentopt.jobs import Job

OUR_APPS = ("accounts", "generation", "billing")
# Rows that belong to no workspace, with the reason.
SHARED = {
    "User": "a person may be in several workspaces",
    "Workspace": "the tenant itself",
    "Plan": "what is for sale, the same for all",
    "Provider": "the platform's servers to ask models at",
    "LlmModel": "the platform's choice of models",
    "ModelPrice": "the platform's price list",
    "RoutingRule": "the platform's choice of models",
    "EconomyOutcome": "counts over all workspaces, of kinds of products",
    "Learning": "the platform's switch",
    "LimitStep": "part of a plan",
    "Platform": "the platform's own spending limit",
    "Retirement": "names in Valkey that a change has made wrong, of all",
    "RollupMark": "how far the ledger is summed up, for all",
    "Reconciliation": "what a comparison of all books found",
    "BillingEvent": "whose it is turns out when it is answered",
}


def our_models() -> list[type[models.Model]]:
    return [
        model for app in OUR_APPS for model in apps.get_app_config(app).get_models() if not model._meta.auto_created
    ]


def tenant_models() -> list[type[models.Model]]:
    return [model for model in our_models() if model.__name__ not in SHARED]


@pytest.mark.parametrize("model", tenant_models(), ids=lambda model: model.__name__)
def test_tenant_rows_carry_a_workspace_and_refuse_to_be_read_without_one(model: type[models.Model]) -> None:
    assert not model._meta.get_field("workspace").null
    rows = model._default_manager.all()
    assert isinstance(rows, TenantQuerySet)
    for query in (rows.count, rows.exists, rows.first, rows.delete, lambda: list(rows), lambda: rows.update(id=None)):
        with pytest.raises(WorkspaceRequired):
            query()


def test_shared_models_are_listed_with_a_reason() -> None:
    without_workspace = {m.__name__ for m in our_models() if not any(f.name == "workspace" for f in m._meta.fields)}
    assert without_workspace == set(SHARED)


def test_every_job_has_an_index_for_the_sweeper_or_is_rare() -> None:
    jobs = {model.__name__ for model in our_models() if issubclass(model, Job)}
    assert jobs == {"BillingEvent", "Catalogue", "LlmBatch", "Night", "NightItem", "Notice", "RunItem", "Stream"}


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    said = StringIO()
    call_command("makemigrations", "--check", "--dry-run", stdout=said)
    assert said.getvalue().strip() == "No changes detected"


def page_names(patterns: list[URLPattern | URLResolver]) -> set[str]:
    names: set[str] = set()
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin":
                names |= page_names(pattern.url_patterns)
        elif pattern.name:
            names.add(pattern.name)
    return names


def test_no_template_names_a_page_that_does_not_exist() -> None:
    known = page_names(get_resolver().url_patterns) | {"admin:index"}
    used = {
        (path.name, name)
        for path in Path(settings.BASE_DIR, "templates").rglob("*.html")
        for name in re.findall(r"{% url ['\"]([\w:-]+)['\"]", path.read_text())
    }
    assert used
    assert {(path, name) for path, name in used if name not in known} == set()


def test_no_template_is_left_without_a_view() -> None:
    """Every page template is rendered by some view, included, or extended."""
    root = Path(settings.BASE_DIR, "templates")
    code = "".join(
        path.read_text() for app in (*OUR_APPS, "contentopt") for path in Path(settings.BASE_DIR, app).rglob("*.py")
    )
    markup = "".join(path.read_text() for path in root.rglob("*.html"))
    by_name = ("400.html", "403.html", "403_csrf.html", "404.html", "429.html", "500.html")
    unused = [
        name
        for path in root.rglob("*.html")
        if (name := str(path.relative_to(root))) not in by_name
        and not name.startswith(("account/", "unfold/"))
        and name not in code
        and name not in markup
    ]
    assert unused == []


def test_templates_hold_no_inline_script_or_style() -> None:
    """The content security policy would refuse them."""
    offending = re.compile(r"<script(?![^>]*\bsrc=)|\son\w+=\"|\sstyle=\"|<style")
    pages = Path(settings.BASE_DIR, "templates").rglob("*.html")
    assert [str(path) for path in pages if offending.search(path.read_text())] == []
