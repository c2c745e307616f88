from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import Scope, User
from accounts.services.keys import issue_key
from accounts.services.workspaces import create_workspace
from contentopt.errors import DomainError


class Command(BaseCommand):
    help = "Create a workspace with an owner and a full-scope API key, which is shown once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--owner", required=True, metavar="EMAIL", help="made if there is no such user")
        parser.add_argument("--name", required=True)
        parser.add_argument("--plan", default="free")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        email = options["owner"].strip().lower()
        owner = User.objects.filter(email=email).first() or User.objects.create_user(email)
        try:
            workspace = create_workspace(owner=owner, name=options["name"], plan=options["plan"])
        except DomainError as error:
            raise CommandError(error.message) from error
        _, secret = issue_key(workspace=workspace, name="Created with the workspace", scopes=Scope.values)
        created = {"workspace": workspace.slug, "plan": workspace.plan_id, "owner": email, "api_key": secret}
        if options["json"]:
            self.stdout.write(json.dumps(created))
        else:
            self.stdout.write("\n".join(f"{name}: {value}" for name, value in created.items()))
