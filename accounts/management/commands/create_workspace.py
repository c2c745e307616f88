from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction

from accounts.models import Scope, User, Workspace
from accounts.services.keys import issue_key
from accounts.services.workspaces import create_workspace
from contentopt.errors import DomainError
from contentopt.tenancy import entering


class Command(BaseCommand):
    help = "Create a workspace with an owner and a full-scope API key, which is shown once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--owner", required=True, metavar="EMAIL", help="made if there is no such user")
        parser.add_argument("--name", required=True)
        parser.add_argument("--plan", default="free")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        email = options["owner"].strip().lower()
        try:
            validate_email(email)
            workspace, secret = self.create(email, options["name"], options["plan"])
        except ValidationError as error:
            raise CommandError(f"“{email}” is no e-mail address.") from error
        except DomainError as error:
            raise CommandError(error.message) from error
        created = {"workspace": workspace.slug, "plan": workspace.plan_id, "owner": email, "api_key": secret}
        if options["json"]:
            self.stdout.write(json.dumps(created))
        else:
            self.stdout.write("\n".join(f"{name}: {value}" for name, value in created.items()))

    @transaction.atomic
    def create(self, email: str, name: str, plan: str) -> tuple[Workspace, str]:
        owner = User.objects.filter(email=email).first() or User.objects.create_user(email)
        workspace = create_workspace(owner=owner, name=name, plan=plan)
        with entering(workspace.pk):
            _, secret = issue_key(workspace=workspace, name="Created with the workspace", scopes=Scope.values)
        return workspace, secret
