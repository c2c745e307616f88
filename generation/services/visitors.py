from __future__ import annotations

from uuid import UUID

from accounts.models import Workspace
from contentopt.errors import DomainError
from generation.engine.writing import Written, write
from generation.facts import Brief, Facts, FactsError, extract_facts

# The platform's own workspace, created by a migration: what visitors try belongs to it, and to nobody else.
PUBLIC_WORKSPACE_ID = UUID("00000000-0000-4000-8000-000000000001")


def describe_for_visitor(*, prompt: str, tone: str) -> tuple[Written, Facts]:
    if not Workspace.objects.filter(pk=PUBLIC_WORKSPACE_ID).exists():
        raise DomainError("Trying without an account is switched off. Sign up; it takes ten seconds.", status=404)
    try:
        facts = extract_facts({"prompt": prompt})
    except FactsError as error:
        raise DomainError(error.message, code=error.code) from error
    brief = Brief(facts, tone=tone, length="short")
    return write(brief, workspace_id=PUBLIC_WORKSPACE_ID), facts
