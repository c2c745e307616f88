"""Every setting, read from the environment once. Code reads `django.conf.settings`."""

from __future__ import annotations

import sys
from pathlib import Path

import environ
import structlog
from csp.constants import NONE, SELF
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

DATABASES = {
    "default": {
        **env.db_url_config(DATABASE_URL or "postgres://unset"),
        "ENGINE": "django.db.backends.postgresql",
        # The pool opens connections after fork, one pool a process; timeouts turn a hung engine into an error.
        "OPTIONS": {
            "pool": {"min_size": 0, "max_size": env.int("DATABASE_POOL_SIZE", default=20), "timeout": 10},
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
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "contentopt",
        "OPTIONS": {
            # A dead or hung cache costs speed, never a request (see generation.caching).
            "SOCKET_CONNECT_TIMEOUT": 0.5,
            "SOCKET_TIMEOUT": 0.5,
            "IGNORE_EXCEPTIONS": True,
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
    "generation.tasks.write_item": {"queue": "bulk"},
    "generation.tasks.import_catalogue": {"queue": "interactive"},
}
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,  # above the hard time limit
    "unacked_restore_interval": 5,  # kombu's default sweeps only every 100 s
    "unacked_restore_throttle": 1,
    "socket_timeout": 2,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 10,
}

# --- Jobs: leases on rows ---------------------------------------------------------------------------------------------

JOB_LEASE_SECONDS = env.int("JOB_LEASE_SECONDS", default=15)  # a heartbeat extends it every third of that
JOB_MAX_ATTEMPTS = env.int("JOB_MAX_ATTEMPTS", default=5)
JOB_SWEEP_SECONDS = env.float("JOB_SWEEP_SECONDS", default=2)
JOB_RESEND_SECONDS = env.int("JOB_RESEND_SECONDS", default=15)  # a message not acted on by then is taken for lost
RUN_WINDOW = env.int("RUN_WINDOW", default=16)  # items of one run that are out with workers at a time
BULK_WORKERS = env.int("BULK_WORKERS", default=8)  # processes that write run items, on this machine

# --- Models -----------------------------------------------------------------------------------------------------------

ANTHROPIC_API_KEY = env.str("ANTHROPIC_API_KEY", default="")
ANTHROPIC_BASE_URL = env.str("ANTHROPIC_BASE_URL", default="https://api.anthropic.com")
OPENAI_API_KEY = env.str("OPENAI_API_KEY", default="")
OPENAI_BASE_URL = env.str("OPENAI_BASE_URL", default="https://api.openai.com/v1")
MODEL_DEADLINE_SECONDS = env.float("MODEL_DEADLINE_SECONDS", default=60)

TEXT_CACHE_SECONDS = 24 * 3600  # in Valkey/Redis
TEXT_KEEP_DAYS = 30  # in PostgreSQL

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
    "csp",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "lucide",
    "rest_framework",
    "template_partials",
    "accounts",
    "generation",
    "billing",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "contentopt.middleware.RequestIdMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",  # closed unless opened
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
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

LANGUAGE_CODE = "en"
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
# Proxies in front of us whose X-Forwarded-For may be believed; 0 means none, so the header is ignored.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)

_email_dir = LOCAL_DIR / "mail"
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
if not env.str("EMAIL_URL", default=""):
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = str(_email_dir)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="ContentOpt <hello@contentopt.example>")

# --- API --------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.ApiKeyAuthentication"],
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
}

# --- Safety -----------------------------------------------------------------------------------------------------------

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": ["/staff/"],  # the admin theme needs inline script; staff only
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
if not DEBUG:
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31536000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    if ALLAUTH_TRUSTED_PROXY_COUNT:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Staff admin ------------------------------------------------------------------------------------------------------

UNFOLD = {
    "SITE_TITLE": "ContentOpt staff",
    "SITE_HEADER": "ContentOpt staff",
    "SITE_SYMBOL": "inventory_2",
    "SHOW_HISTORY": True,
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
}
