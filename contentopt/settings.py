"""Every setting, read from the environment once. Code reads `django.conf.settings`."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Any

import environ
import structlog
from csp.constants import NONE, SELF
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.crypto import salted_hmac
from structlog.typing import Processor

from contentopt import engines

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

# Where everything that belongs to this checkout alone is kept: engines, logs, mail, the demo's sign-in.
LOCAL_DIR = Path(env.str("CONTENTOPT_LOCAL", default=str(BASE_DIR / ".local")))

# --- Mode -------------------------------------------------------------------------------------------------------------

# False refuses to start without a key, so forgetting it in production is loud.
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="only-for-development" if DEBUG else environ.Env.NOTSET)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
PUBLIC_URL = env.str("PUBLIC_URL", default=f"http://127.0.0.1:{env.int('PORT', default=8000)}")

# --- Engines: PostgreSQL and Valkey/Redis, embedded when not given ----------------------------------------------------

_embedded = engines.EngineUrls("", "")
_embed_postgres, _embed_redis = not env.str("DATABASE_URL", default=""), not env.str("REDIS_URL", default="")
if (_embed_postgres or _embed_redis) and "collectstatic" not in sys.argv:
    _embedded = engines.embedded_urls(
        LOCAL_DIR, postgres=_embed_postgres, redis=_embed_redis, durable=env.bool("ENGINES_DURABLE", default=True)
    )
DATABASE_URL = env.str("DATABASE_URL", default="") or _embedded.database_url
REDIS_URL = env.str("REDIS_URL", default="") or _embedded.redis_url
# Of the role that owns the tables, for `migrate` alone. Unset beside a DATABASE_URL: one role does both.
MIGRATION_DATABASE_URL = env.str("MIGRATION_DATABASE_URL", default="") or _embedded.owner_database_url
_owner = env.db_url_config(MIGRATION_DATABASE_URL) if MIGRATION_DATABASE_URL else {}

DATABASES = {
    "default": {
        **env.db_url_config(DATABASE_URL or "postgres://unset"),
        "ENGINE": "contentopt.database",
        "OWNER": {name: _owner[name] for name in ("USER", "PASSWORD", "HOST", "PORT") if name in _owner},
        # The pool opens connections after fork, one pool a process; timeouts turn a hung engine into an error.
        "OPTIONS": {
            "pool": {
                "min_size": 0,
                "max_size": env.int("DATABASE_POOL_SIZE", default=20),
                "timeout": env.float("DATABASE_POOL_TIMEOUT", default=10),
            },
            "connect_timeout": 5,
        },
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": True,  # they do not survive a transaction pooler, nor a reader who leaves
        "TEST": {"NAME": env.str("TEST_DATABASE_NAME", default="test_contentopt")},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "contentopt.caches.SteadyCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "contentopt",
        "OPTIONS": {
            # A dead or hung cache costs speed, never a request (see generation.caching).
            "SOCKET_CONNECT_TIMEOUT": 0.5,
            "SOCKET_TIMEOUT": 0.5,
            "IGNORE_EXCEPTIONS": True,
            "REDIS_CLIENT_CLASS": "contentopt.fuse.FusedRedis",
        },
    }
}
DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS = False  # a traceback a request says no more than /healthz does

# --- Celery: carries ids only; the rows in PostgreSQL are the queue ---------------------------------------------------

CELERY_BROKER_URL = REDIS_URL.removesuffix("/0") + "/1" if REDIS_URL.endswith("/0") else REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True  # safe because attempts are capped on the row
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 1000
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_SOFT_TIME_LIMIT = 210
CELERY_TASK_TIME_LIMIT = 240
CELERY_TASK_DEFAULT_QUEUE = "interactive"
CELERY_TASK_ROUTES = {
    "generation.tasks.write_items": {"queue": "bulk"},
    "generation.tasks.plan_night": {"queue": "bulk"},
    "generation.tasks.write_ahead": {"queue": "bulk"},
    "generation.tasks.advance_batch": {"queue": "bulk"},
    "generation.tasks.import_catalogue": {"queue": "interactive"},
    "generation.tasks.write_stream": {"queue": "streams"},
    "accounts.tasks.send_notice": {"queue": "delivery"},
    "generation.tasks.reconcile": {"queue": "delivery"},
    "accounts.tasks.drain_free_answers": {"queue": "delivery"},
    "accounts.tasks.roll_up": {"queue": "delivery"},
    "generation.tasks.warm_cache": {"queue": "delivery"},
    "accounts.tasks.tell_staff": {"queue": "delivery"},
    "webhooks.tasks.deliver": {"queue": "webhooks"},
    "accounts.tasks.write_archive": {"queue": "bulk"},
    "accounts.tasks.erase_workspace": {"queue": "bulk"},
    "generation.tasks.drop_what_is_kept_long_enough": {"queue": "bulk"},
    "billing.tasks.follow_closings": {"queue": "delivery"},
    "billing.tasks.process_event": {"queue": "interactive"},  # somebody has just paid and looks at the page
    "billing.tasks.follow_seats": {"queue": "delivery"},
    "billing.tasks.reconcile": {"queue": "delivery"},
    "billing.tasks.report_usage": {"queue": "delivery"},
}
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,  # above the hard time limit
    "unacked_restore_interval": 5,  # kombu's default sweeps only every 100 s
    "unacked_restore_throttle": 1,
    # No time limit on a reply: an acknowledgement that gave up would leave its message open for ever, and a worker with
    # as many open messages as it may take gets no other. A hung broker is waited for; a dead line is noticed by TCP.
    "socket_timeout": None,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "socket_keepalive_options": {
        getattr(socket, name): value
        for name, value in {
            "TCP_KEEPIDLE": 10,
            "TCP_KEEPINTVL": 5,
            "TCP_KEEPCNT": 3,
            "TCP_USER_TIMEOUT": 25_000,  # milliseconds; for what was sent and never arrived
        }.items()
        if hasattr(socket, name)
    },
}

# --- Jobs: leases on rows ---------------------------------------------------------------------------------------------

JOB_LEASE_SECONDS = env.int("JOB_LEASE_SECONDS", default=15)  # a heartbeat extends it every third of that
JOB_MAX_ATTEMPTS = env.int("JOB_MAX_ATTEMPTS", default=5)
JOB_SWEEP_SECONDS = env.float("JOB_SWEEP_SECONDS", default=2)
JOB_RESEND_SECONDS = env.int("JOB_RESEND_SECONDS", default=15)  # a message not acted on by then is taken for lost
RUN_WINDOW = env.int("RUN_WINDOW", default=16)  # tasks of one run that are out with workers at a time
RUN_ITEMS_PER_CALL = env.int("RUN_ITEMS_PER_CALL", default=4)  # what a task of a run holds; 1: a call for each item
BULK_WORKERS = env.int("BULK_WORKERS", default=8)  # processes that write run items, on this machine

# --- Nights: texts written before anybody asks, while machines and models are idle ------------------------------------

NIGHT_IS_ON = env.bool("NIGHT_IS_ON", default=True)  # off: only by hand
NIGHT_FROM_HOUR = env.int("NIGHT_FROM_HOUR", default=1)  # UTC; may be later than NIGHT_UNTIL_HOUR, over midnight
NIGHT_UNTIL_HOUR = env.int("NIGHT_UNTIL_HOUR", default=5)  # what is not begun by then is let go
NIGHT_MOST_TEXTS = env.int("NIGHT_MOST_TEXTS", default=500)  # of one workspace in one night
NIGHT_AT_ONCE = env.int("NIGHT_AT_ONCE", default=4)  # items of one night that are out with workers at a time
NIGHT_EXPIRING_DAYS = 3  # texts that expire within so many days are written anew
NIGHT_KEEP_DAYS = 60  # after that the list of a night's texts is dropped
NIGHT_RECENT_DAYS = 14  # products imported, and families asked for, within so many days are written ahead

# --- Models -----------------------------------------------------------------------------------------------------------

ANTHROPIC_API_KEY = env.str("ANTHROPIC_API_KEY", default="")
ANTHROPIC_BASE_URL = env.str("ANTHROPIC_BASE_URL", default="https://api.anthropic.com")
OPENAI_API_KEY = env.str("OPENAI_API_KEY", default="")
OPENAI_BASE_URL = env.str("OPENAI_BASE_URL", default="https://api.openai.com/v1")
# Keys of further providers: each row names its own (generation.models.Provider).
MODEL_KEYS = {name: key for name, key in env.ENVIRON.items() if name.endswith("_API_KEY")}
MODEL_DEADLINE_SECONDS = env.float("MODEL_DEADLINE_SECONDS", default=60)
# All attempts at one text, with what they wait for; below Celery's limit for a task.
TEXT_DEADLINE_SECONDS = env.float("TEXT_DEADLINE_SECONDS", default=2 * MODEL_DEADLINE_SECONDS)
PROVIDER_PLACE_SECONDS = env.float("PROVIDER_PLACE_SECONDS", default=12)  # a killed process frees its places after that
# When every model failed for free, all are asked again, so often and after a pause of up to so long, which doubles. Who
# is told to wait longer than the longest is told so.
MODEL_RETRIES = env.int("MODEL_RETRIES", default=2)
MODEL_RETRY_SECONDS = env.float("MODEL_RETRY_SECONDS", default=0.5)
MODEL_RETRY_LONGEST_SECONDS = env.float("MODEL_RETRY_LONGEST_SECONDS", default=5)
# How long a request may wait for others to share its call, while one of their kind is in flight; 0: none is shared.
MICRO_BATCH_SECONDS = env.float("MICRO_BATCH_SECONDS", default=0.4)
MICRO_BATCH_MOST = env.int("MICRO_BATCH_MOST", default=4)  # a model writes the texts of a call one after the other
# Batches: many requests answered within a day, at half the price.
BATCH_POLL_SECONDS = env.float("BATCH_POLL_SECONDS", default=60)
BATCH_MOST_PARTS = env.int("BATCH_MOST_PARTS", default=5_000)  # of one batch; vendors take 50,000 and more

# Whoever sends it as a bearer token reads /metrics; empty: nobody.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")

# --- Money ------------------------------------------------------------------------------------------------------------

# How long a request waits for other holds to settle before it is told that the budget is in flight.
BUDGET_WAIT_SECONDS = env.float("BUDGET_WAIT_SECONDS", default=5)
# A hold nobody came back for: longer than any call can last.
HOLD_SECONDS = env.int("HOLD_SECONDS", default=int(MODEL_DEADLINE_SECONDS) + 30)
# The same of a request in a batch, which is answered within a day.
BATCH_HOLD_SECONDS = env.int("BATCH_HOLD_SECONDS", default=26 * 3600)
# A place in the month's quota nobody came back for: longer than a text with all its attempts can take.
QUOTA_PENDING_SECONDS = env.int("QUOTA_PENDING_SECONDS", default=2 * HOLD_SECONDS)
# Free answers that may wait in Valkey for the ledger, 500 bytes each, or 2 KB with a text that PostgreSQL does not have
# yet; what comes beyond goes there directly.
FREE_ANSWERS_WAITING = env.int("FREE_ANSWERS_WAITING", default=100_000)

# --- Payment: Stripe. Without a key nothing is sold, and the free plan runs -------------------------------------------

STRIPE_API_KEY = env.str("STRIPE_API_KEY", default="")
STRIPE_API_BASE = env.str("STRIPE_API_BASE", default="")  # empty: Stripe itself
STRIPE_WEBHOOK_SECRETS = env.list("STRIPE_WEBHOOK_SECRET", default=[])  # two while they are rotated, with a comma
STRIPE_TAX_IS_ON = env.bool("STRIPE_TAX_IS_ON", default=False)  # Stripe Tax must be set up in its dashboard
TRIAL_DAYS = env.int("TRIAL_DAYS", default=7)
GRACE_DAYS = env.int("GRACE_DAYS", default=7)  # a plan goes on so long after a payment has failed
IDEMPOTENCY_WAIT_SECONDS = 5.0  # for the reply to the same request, which is being done at the moment
IDEMPOTENCY_KEEP_HOURS = 24  # the same Idempotency-Key gives the same reply for so long
EVENT_KEEP_DAYS = 90  # of Stripe's events, once they are done with

# --- Outgoing webhooks ------------------------------------------------------------------------------------------------

WEBHOOK_TIMEOUTS = (3.0, 10.0)  # to connect, and between two bytes
WEBHOOK_DEADLINE_SECONDS = env.float("WEBHOOK_DEADLINE_SECONDS", default=15)  # for an attempt as a whole
WEBHOOK_KILL_SECONDS = int(WEBHOOK_DEADLINE_SECONDS) + 20  # what no signal ends, such as a look-up of a name
WEBHOOK_KEEP_DAYS = 30  # of what was sent
# For tests, and to try webhooks on one's own machine; `check --deploy` refuses it.
WEBHOOK_ALLOW_LOOPBACK = env.bool("WEBHOOK_ALLOW_LOOPBACK", default=False)

# --- What is kept, and how long ---------------------------------------------------------------------------------------

# Raise it, and nothing that was cached in Valkey/Redis before is used any more. What waits there or counts goes on.
CACHE_VERSION = env.int("CACHE_VERSION", default=1)
TEXT_CACHE_SECONDS = 24 * 3600  # in Valkey/Redis, from the last time it was asked for
TEXT_KEEP_DAYS = 30  # in PostgreSQL, with the embedding, which is kept nowhere else
ACCOUNT_CACHE_SECONDS = 5 * 60  # keys, plans and the route, in a process's memory, while their stamp is unchanged
ARCHIVE_LINK_SECONDS = 3600  # of a link to an archive of everything, from the moment its page was shown
VISIT_KEEP_DAYS = 2  # what visitors try without an account; workspaces set their own days (accounts.models.Retention)
STATIC_CACHE_SECONDS = 30 * 24 * 3600  # files of a name without a hash, in browsers
# What is put back after Valkey forgot everything, most used first; the rest comes back when it is asked for.
WARM_TEXTS = env.int("WARM_TEXTS", default=5_000)
WARM_BYTES = env.int("WARM_BYTES", default=32 * 1024 * 1024)

# --- Files ------------------------------------------------------------------------------------------------------------

CATALOGUE_MAX_BYTES = env.int("CATALOGUE_MAX_BYTES", default=100 * 1024 * 1024)
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # request bodies that are not files
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # larger uploads go to a temporary file, never to memory
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
SAMPLE_SHOP = BASE_DIR / "samples" / "sample-shop.csv"

# --- Applications -----------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.headless",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "lucide",
    "rest_framework",
    "template_partials",
    "accounts",
    "webhooks",
    "generation",
    "billing",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "contentopt.middleware.SitePolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "contentopt.middleware.RequestIdMiddleware",
    "contentopt.middleware.OutsideMiddleware",
    "contentopt.middleware.UnstoredMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.common.CommonMiddleware",
    "generation.api.known.KnownTexts",  # answers the most frequent request before the rest is gone through
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.middleware.SteadyRepliesMiddleware",
    "accounts.middleware.ImpersonationMiddleware",
    "accounts.middleware.StaffFactorMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",  # closed unless opened
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.acting.ActorMiddleware",
    "accounts.middleware.WorkspaceMiddleware",
    "contentopt.middleware.DomainErrorMiddleware",
]

ROOT_URLCONF = "contentopt.urls"
WSGI_APPLICATION = "contentopt.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context_processors.permissions",
            ],
            "builtins": ["template_partials.templatetags.partials"],
        },
    }
]

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_MAX_AGE = 0 if DEBUG else STATIC_CACHE_SECONDS

LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = ["contentopt.formats"]
TIME_ZONE = "UTC"
USE_TZ = True

# --- Sign-in ----------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "optional"  # works at once; verified before inviting people or paying
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {"signup": "accounts.signing_up.SignUpForm"}
ACCOUNT_EMAIL_NOTIFICATIONS = True  # of changed passwords, addresses and factors
ACCOUNT_REAUTHENTICATION_REQUIRED = True  # before addresses or factors are changed
# Sign-ups of one network in a day that work at once; who comes later confirms the address first (accounts.signing_up).
SIGN_UPS_AT_ONCE = env.int("SIGN_UPS_AT_ONCE", default=1_000 if DEBUG else 3)
STEADY_REPLY_SECONDS = 0.25  # how long a reply takes must not tell whether there is an account
# Proxies in front of us whose X-Forwarded-For may be believed; 0 means none, so the header is ignored.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)

# Second factors and passkeys.
MFA_ADAPTER = "accounts.adapters.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "ContentOpt"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEBUG  # passkeys of http://localhost
# A newcomer who tries `make run` need not set one up to see the staff's pages; `check --deploy` refuses it elsewhere.
STAFF_NEED_SECOND_FACTOR = env.bool("STAFF_NEED_SECOND_FACTOR", default=not DEBUG)
IMPERSONATION_MINUTES = env.int("IMPERSONATION_MINUTES", default=30)

# Programs that act for a person sign in and get tokens; each use looks at the session behind it, so that ending that
# takes effect at once. A key of its own: what signs tokens signs nothing else.
HEADLESS_CLIENTS = ("app",)
HEADLESS_TOKEN_STRATEGY = "accounts.tokens.TokenStrategy"  # noqa: S105 (a class, no secret)
HEADLESS_JWT_ALGORITHM = "HS256"
HEADLESS_JWT_PRIVATE_KEY = salted_hmac("accounts.tokens", "sign", secret=SECRET_KEY, algorithm="sha256").hexdigest()
HEADLESS_JWT_STATEFUL_VALIDATION_ENABLED = True
HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN = 5 * 60
HEADLESS_JWT_REFRESH_TOKEN_EXPIRES_IN = 24 * 3600

_email_dir = LOCAL_DIR / "mail"
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
if not env.str("EMAIL_URL", default=""):
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = str(_email_dir)
EMAIL_TIMEOUT = env.float("EMAIL_TIMEOUT", default=10)  # a hung mail server must not hold up the next notice
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="ContentOpt <hello@contentopt.example>")

# --- Limits -----------------------------------------------------------------------------------------------------------

WEB_WORKERS = env.int("WEB_WORKERS", default=2)  # as in the Procfile: without Redis each counts its share of a limit

# --- API --------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.PersonAuthentication",
        "accounts.authentication.ApiKeyAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.throttling.PlanThrottle"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "contentopt.api.error_response",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "ContentOpt API",
    "DESCRIPTION": "Product facts in, publishable descriptions out.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "JobState": "contentopt.jobs.JobState",
        "RunState": "generation.models.Run.State",
        "TextState": "generation.models.Text.State",
        "WebhookOutcomeEnum": ["pending", "received", "failed"],
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "generation.api.exactness.require_bodies",
        "webhooks.events.add_to_document",
    ],
}

# --- Safety -----------------------------------------------------------------------------------------------------------

SECURE_CONTENT_TYPE_NOSNIFF = True
PAYMENT_PAGES = [STRIPE_API_BASE] if STRIPE_API_BASE else ["https://checkout.stripe.com", "https://billing.stripe.com"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": ["/staff/"],  # the admin theme needs inline script; staff only
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF, *PAYMENT_PAGES],  # a form of ours may end on a page where one pays
        "frame-ancestors": [NONE],
    },
}
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
if not DEBUG:
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    # Browsers take a cookie of such a name only over TLS, for this host alone: no sister domain can plant one.
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31536000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    if ALLAUTH_TRUSTED_PROXY_COUNT:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Staff admin ------------------------------------------------------------------------------------------------------


def _sidebar(title: str, pages: dict[str, tuple[str, str]]) -> dict[str, Any]:
    """A group of links: label -> (page, icon); a page is a route's name or a model's list."""

    def link(page: str) -> Any:
        return reverse_lazy(page if page.startswith("staff_") else f"admin:{page}_changelist")

    items = [{"title": label, "icon": icon, "link": link(page)} for label, (page, icon) in pages.items()]
    return {"title": title, "separator": True, "items": items}


UNFOLD = {
    "SITE_TITLE": "ContentOpt staff",
    "SITE_HEADER": "ContentOpt staff",
    "SITE_SYMBOL": "inventory_2",
    "SHOW_HISTORY": True,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("favicon.svg")}],
    "STYLES": [lambda _request: static("css/staff.css")],
    "DASHBOARD_CALLBACK": "accounts.admin.pages.index_context",
    "SIDEBAR": {
        "navigation": [
            _sidebar(
                "Money",
                {
                    "Margins and spend": ("staff_money", "payments"),
                    "Platform": ("accounts_platform", "power_settings_new"),
                    "Budgets": ("accounts_budget", "savings"),
                    "Holds": ("accounts_reservation", "lock_clock"),
                    "Ledger": ("accounts_usageentry", "receipt_long"),
                    "Reconciliations": ("accounts_reconciliation", "balance"),
                    "Notices": ("accounts_notice", "notifications"),
                },
            ),
            _sidebar(
                "Payment",
                {
                    "Subscriptions": ("billing_subscription", "credit_card"),
                    "Customers": ("billing_billingaccount", "person"),
                    "Stripe's events": ("billing_billingevent", "notifications_active"),
                    "Metered usage": ("billing_usagereport", "speed"),
                },
            ),
            _sidebar(
                "Shops",
                {
                    "Workspaces": ("accounts_workspace", "storefront"),
                    "Users": ("accounts_user", "group"),
                    "Impersonations": ("accounts_impersonation", "visibility"),
                    "Second factors": ("mfa_authenticator", "phonelink_lock"),
                    "Sessions": ("usersessions_usersession", "devices"),
                    "API keys": ("accounts_apikey", "key"),
                    "Plans": ("accounts_plan", "sell"),
                    "Audit log": ("accounts_auditentry", "policy"),
                    "Archives": ("accounts_archive", "archive"),
                    "Deletions": ("accounts_deletion", "delete"),
                },
            ),
            _sidebar(
                "Work",
                {
                    "Imports": ("generation_catalogue", "upload_file"),
                    "Runs": ("generation_run", "play_circle"),
                    "Items": ("generation_runitem", "list"),
                    "Texts": ("generation_text", "article"),
                    "Comments": ("generation_comment", "comment"),
                    "Nights": ("staff_nights", "bedtime"),
                    "Batches": ("generation_llmbatch", "inventory"),
                    "Webhook endpoints": ("webhooks_endpoint", "webhook"),
                    "Webhook deliveries": ("webhooks_delivery", "send"),
                    "Cached texts": ("generation_cachedtext", "cached"),
                    "Cached templates": ("generation_cachedtemplate", "data_object"),
                },
            ),
            _sidebar(
                "Models",
                {
                    "How models do": ("staff_models", "monitoring"),
                    "Providers": ("generation_provider", "hub"),
                    "Models": ("generation_llmmodel", "smart_toy"),
                    "Routing rules": ("generation_routingrule", "alt_route"),
                    "What is learned": ("generation_economyoutcome", "school"),
                    "Learning": ("generation_learning", "toggle_on"),
                    "Model calls": ("generation_llmcall", "swap_vert"),
                },
            ),
        ],
    },
}

# --- Logs -------------------------------------------------------------------------------------------------------------

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
# Plain tracebacks: the pretty ones print local variables, and those hold texts.
CONSOLE = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
LOG_PROCESSORS: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso"),
]
structlog.configure(
    processors=[*LOG_PROCESSORS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "structlog.stdlib.ProcessorFormatter",
            "processor": CONSOLE if DEBUG else structlog.processors.JSONRenderer(),
            "foreign_pre_chain": LOG_PROCESSORS,
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    # A line for every request to a vendor says less than the model call's row. At DEBUG the vendors' own clients print
    # whole requests, and those hold shops' texts and addresses.
    "loggers": {
        **{name: {"level": "WARNING"} for name in ("anthropic", "openai", "httpx2", "httpcore2", "urllib3")},
        "stripe": {"level": "ERROR"},
    },
}
