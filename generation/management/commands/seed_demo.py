from __future__ import annotations

import os
import secrets
import time
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.management.base import BaseCommand

from accounts.models import Scope, User, Workspace
from accounts.services.keys import issue_key
from accounts.services.workspaces import create_workspace
from contentopt.tenancy import EVERY_ROW, across_workspaces
from generation.engine.storing import default_wishes
from generation.models import Product, Run
from generation.services.runs import run_progress, start_run
from generation.services.texts import writable_fields

DEMO_EMAIL, STAFF_EMAIL = "demo@alder-goods.example", "staff@contentopt.example"
WAIT_SECONDS = 60


class Command(BaseCommand):
    help = "Make the demo shop and sign-ins that `make run` prints; safe to repeat."

    def handle(self, *_args: Any, **_options: Any) -> None:
        kept = read_env(settings.LOCAL_DIR / "demo.env")
        with across_workspaces():
            if not User.objects.filter(email=DEMO_EMAIL).exists():
                kept = self.create(kept)
        kept |= {
            "CONTENTOPT_URL": settings.PUBLIC_URL,
            "DATABASE_URL": settings.DATABASE_URL + EVERY_ROW,
            "MIGRATION_DATABASE_URL": settings.MIGRATION_DATABASE_URL,
            "REDIS_URL": settings.REDIS_URL,
        }
        if settings.STRIPE_API_BASE:
            kept["STRIPE_API_BASE"] = settings.STRIPE_API_BASE
        write_env(settings.LOCAL_DIR / "demo.env", kept)
        with across_workspaces():
            self.write_sample_shop()
        self.show(kept)

    def create(self, kept: dict[str, str]) -> dict[str, str]:
        demo_password, staff_password = secrets.token_urlsafe(9), secrets.token_urlsafe(9)
        demo = User.objects.create_user(DEMO_EMAIL, demo_password)
        EmailAddress.objects.create(user=demo, email=DEMO_EMAIL, primary=True, verified=True)
        staff = User.objects.create_superuser(STAFF_EMAIL, staff_password)
        EmailAddress.objects.create(user=staff, email=STAFF_EMAIL, primary=True, verified=True)
        workspace = create_workspace(owner=demo, name="Alder Goods", plan="enterprise", with_sample_shop=True)
        _, key = issue_key(workspace=workspace, name="Demo", scopes=Scope.values, created_by=demo)
        return kept | {
            "CONTENTOPT_API_KEY": key,
            "DEMO_EMAIL": DEMO_EMAIL,
            "DEMO_PASSWORD": demo_password,
            "STAFF_EMAIL": STAFF_EMAIL,
            "STAFF_PASSWORD": staff_password,
        }

    def write_sample_shop(self) -> None:
        """Write every sample product once, through the queue and the workers like any other run."""
        workspace = Workspace.objects.filter(memberships__user__email=DEMO_EMAIL).order_by("created_at").first()
        if workspace is None or Run.objects.in_workspace(workspace).exists():
            return
        catalogue = workspace.catalogues.filter(is_sample=True).first()
        if catalogue is None:
            return
        wishes = default_wishes(writable_fields(catalogue.mapping), tone="friendly")
        products = Product.objects.in_workspace(workspace).filter(catalogue=catalogue)
        run = start_run(workspace=workspace, products=products, wishes=wishes, catalogue=catalogue)
        until = time.monotonic() + WAIT_SECONDS
        while run.is_open and time.monotonic() < until:
            time.sleep(0.2)
            run.refresh_from_db()
        progress = run_progress(run)
        self.stdout.write(f"sample shop: {progress.done} of {progress.total} descriptions written")

    def show(self, kept: dict[str, str]) -> None:
        url = kept["CONTENTOPT_URL"]
        lines = [
            f"ready {url}",
            "",
            f"  shop   {kept['DEMO_EMAIL']}  {kept['DEMO_PASSWORD']}",
            f"  staff  {kept['STAFF_EMAIL']}  {kept['STAFF_PASSWORD']}  {url}/staff/",
            f"  mail   {settings.EMAIL_FILE_PATH if hasattr(settings, 'EMAIL_FILE_PATH') else 'as configured'}",
            *(
                ["  pay    with test card 4242 4242 4242 4242: no money moves here"]
                if "STRIPE_API_BASE" in kept
                else []
            ),
            "",
            f"  curl {url}/api/v1/descriptions \\",
            f"    -H 'Authorization: Bearer {kept['CONTENTOPT_API_KEY']}' -H 'Content-Type: application/json' \\",
            """    -d '{"product": {"title": "Linen Apron", "attributes": {"Material": "Linen", "Colour": "Sand"}}}'""",
            "",
        ]
        self.stdout.write("\n".join(lines))


def read_env(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    lines = (line.partition("=") for line in path.read_text().splitlines() if "=" in line)
    return {name: value for name, _, value in lines}


def write_env(path: Path, values: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    os.chmod(path, 0o600)
