from __future__ import annotations

import os
from pathlib import Path

# Engines of the suite's own, never the developer's data; one embedded pair serves all of a run's workers.
os.environ["CONTENTOPT_LOCAL"] = os.environ.get(
    "CONTENTOPT_TEST_LOCAL", str(Path(__file__).resolve().parent.parent / ".local" / "tests")
)
os.environ["DEBUG"] = "true"
for name in (
    "ANTHROPIC_API_KEY",
    "OPENAI_API_KEY",
    "ANTHROPIC_BASE_URL",
    "OPENAI_BASE_URL",
    "STRIPE_API_KEY",
    "STRIPE_API_BASE",
):
    os.environ[name] = ""

from contentopt.settings import *  # noqa: E402, F403
from contentopt.settings import CACHES, MIDDLEWARE  # noqa: E402

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")

DEBUG = False
SECRET_KEY = "only-for-tests"
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
CACHES = {"default": {**CACHES["default"], "KEY_PREFIX": f"test-{WORKER}"}}
MIDDLEWARE = [name for name in MIDDLEWARE if "whitenoise" not in name]
ANTHROPIC_API_KEY = OPENAI_API_KEY = ""
STRIPE_WEBHOOK_SECRETS = ["whsec_only_for_tests"]
JOB_LEASE_SECONDS = 3
STEADY_REPLY_SECONDS = 0  # tests of it say so
MODEL_RETRIES = 0  # tests of retries say so
LOG_LEVEL = "WARNING"
