"""A production-like start: clean checks, no start without a key, nothing embedded when engines are given."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

OURS = ("DEBUG", "SECRET_KEY", "CONTENTOPT_LOCAL", "CONTENTOPT_TEST_LOCAL", "DJANGO_SETTINGS_MODULE")


def manage(*arguments: str, local: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`manage.py` as on a server, with the engines of this test run standing in for managed ones."""
    inherited = {name: value for name, value in os.environ.items() if name not in OURS}
    engines = {"DATABASE_URL": settings.DATABASE_URL, "REDIS_URL": settings.REDIS_URL}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env={**inherited, **engines, "CONTENTOPT_LOCAL": str(local), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


PRODUCTION = {"DEBUG": "false", "ALLOWED_HOSTS": "shop.example", "PUBLIC_URL": "https://shop.example"}


def test_the_deployment_check_is_clean(tmp_path: Path) -> None:
    done = manage(
        "check",
        "--deploy",
        "--fail-level",
        "WARNING",
        local=tmp_path,
        SECRET_KEY=secrets.token_urlsafe(50),
        **PRODUCTION,
    )
    assert done.returncode == 0, done.stderr
    assert "0 silenced" in done.stdout


def has_key_of_its_own() -> bool:
    path = Path(settings.BASE_DIR, ".env")
    return path.exists() and any(line.startswith("SECRET_KEY") for line in path.read_text().splitlines())


@pytest.mark.skipif(has_key_of_its_own(), reason=".env holds a key")
def test_without_a_secret_key_it_refuses_to_start(tmp_path: Path) -> None:
    done = manage("check", local=tmp_path, **PRODUCTION)
    assert done.returncode != 0
    assert "SECRET_KEY" in done.stderr


def test_with_engines_given_nothing_embedded_starts(tmp_path: Path) -> None:
    local = tmp_path / "local"
    done = manage("shell", "-c", "print('up')", local=local, SECRET_KEY=secrets.token_urlsafe(50), **PRODUCTION)
    assert done.returncode == 0, done.stderr
    assert "up" in done.stdout
    assert not (local / "postgres").exists()
    assert not (local / "valkey").exists()


def test_cookies_travel_encrypted_in_production(tmp_path: Path) -> None:
    names = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT", "SESSION_COOKIE_HTTPONLY")
    script = f"from django.conf import settings; print([getattr(settings, name) for name in {names}])"
    done = manage("shell", "-v", "0", "-c", script, local=tmp_path, SECRET_KEY=secrets.token_urlsafe(50), **PRODUCTION)
    assert done.stdout.strip().endswith("[True, True, True, True]"), done.stderr
