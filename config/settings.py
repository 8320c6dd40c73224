"""All settings, read from the environment by django-environ; the environment wins over `.env`.

Every name is explained in `.env.example`. Nothing here is specific to one installation.
"""

import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
if os.environ.get("READ_DOTENV", "1") == "1":
    env.read_env(BASE_DIR / ".env", overwrite=False)
VAR_DIR = Path(env("VAR_DIR", default="") or BASE_DIR / "var")

SECRET_KEY = env("SECRET_KEY")
DEBUG = env.bool("DEBUG", default=False)
CREDENTIAL_KEYS = env.list("CREDENTIAL_KEYS")
if not CREDENTIAL_KEYS:
    raise ImproperlyConfigured("CREDENTIAL_KEYS is empty: give at least one Fernet key (see .env.example)")

# --- where we are seen from ---------------------------------------------------------------------------
PUBLIC_URL = env("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
_public = urlsplit(PUBLIC_URL)
PORT = env.int("PORT", default=8000)
SANDBOX_PORT = env.int("SANDBOX_PORT", default=8900)
ALLOWED_HOSTS = [_public.hostname or "127.0.0.1"]
if _public.hostname in ("127.0.0.1", "localhost"):
    ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]
_https = _public.scheme == "https"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SECURE_SSL_REDIRECT = _https
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _https else None
# A picture of another host is asked for without a referrer. Not "no-referrer": browsers then send
# "Origin: null" and every form fails the CSRF check.
SECURE_REFERRER_POLICY = "same-origin"
if _https:
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
    LANGUAGE_COOKIE_NAME = "__Host-language"

# --- the platform -------------------------------------------------------------------------------------
# The operator's to set: no page and no admin form can change where credentials are sent.
WECHAT_API_URL = (env("WECHAT_API_URL", default="") or "https://api.weixin.qq.com").rstrip("/")
WECHAT_API_HOST = urlsplit(WECHAT_API_URL).hostname or ""
# Set only inside WeChat CloudRun: plain http, because its sidecar adds the credential and the encryption.
WECHAT_CLOUD_API_URL = env("WECHAT_CLOUD_API_URL", default="").rstrip("/")
# Where a store's owner authorises a third-party platform.
WECHAT_LOGIN_URL = env("WECHAT_LOGIN_URL", default="https://mp.weixin.qq.com").rstrip("/")
# Connect, read and whole-call time-outs, in seconds.
WECHAT_TIMEOUT = tuple(float(part) for part in env("WECHAT_TIMEOUT", default="3,10,15").split(","))
if len(WECHAT_TIMEOUT) != 3:
    raise ImproperlyConfigured("WECHAT_TIMEOUT needs three numbers, connect,read,total in seconds: 3,10,15")
SETTLE_GRACE = env.float("SETTLE_GRACE", default=120.0)
LANES = env.int("LANES", default=8)
SYNC_EVERY = env.int("SYNC_EVERY", default=120)
SYNC_FIRST_DAYS = env.int("SYNC_FIRST_DAYS", default=30)
QUOTA_EVERY = env.int("QUOTA_EVERY", default=300)
RAW_BODY_DAYS = env.int("RAW_BODY_DAYS", default=90)
BATCH_FILE_DAYS = env.int("BATCH_FILE_DAYS", default=30)
EXPORT_DAYS = env.int("EXPORT_DAYS", default=7)
# 0 keeps every attempt in the database.
KEEP_ATTEMPTS_MONTHS = env.int("KEEP_ATTEMPTS_MONTHS", default=0)
ARCHIVE_DIR = Path(env("ARCHIVE_DIR", default="") or VAR_DIR / "archive")
VERSION = env("VERSION", default="")
SYNC_RATE = env.float("SYNC_RATE", default=5.0)
IS_DEMO = WECHAT_API_HOST in ("127.0.0.1", "localhost", "::1")

# --- Django -------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "merchants.apps.StoreAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "django_tasks",
    "django_tasks_db",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "merchants",
    "shipping",
]
MIDDLEWARE = [
    # First, so that what is answered before any page carries the policy too.
    "csp.middleware.CSPMiddleware",
    "merchants.addresses.without_nul",
    "merchants.watching.probes_first",
    "merchants.watching.Observe",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "merchants.sessions.TimeLimits",
    "merchants.sessions.LoginRequired",
    "merchants.sessions.SecondFactorRequired",
    "merchants.sessions.own_language",
    "merchants.once.pages_ask_once",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "shipping.context.desk",
            ],
        },
    },
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# A name left empty in .env means its default, like one left out.
_database = env("DATABASE_URL", default="") or f"sqlite:///{BASE_DIR / 'db.sqlite3'}"
DATABASES = {"default": env.db_url_config(_database)}
DATABASES["default"]["ATOMIC_REQUESTS"] = False
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["ENGINE"] = "config.sqlite3"  # Django's own; waits for another's write more closely
    # Measured: without IMMEDIATE two writers fail with "database is locked"; without FULL a power loss
    # may undo a claim that was already acted upon.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# A worker's sign of life is a lock of its session: a pool of transactions (PgBouncer) needs a way past it.
_direct = env("DIRECT_DATABASE_URL", default="")
DIRECT_DATABASE = env.db_url_config(_direct) if _direct else None
# A cursor kept on the server between two fetches is another session's there.
DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = bool(_direct)

# --- background work ----------------------------------------------------------------------------------
# "db" keeps the queue in the database; "celery" has a broker hand it to workers on many machines. The code
# asks django-tasks and knows neither; TASK_WORKER is how `manage.py work` starts what works one queue off.
TASK_ENGINE = env("TASKS", default="") or "db"
if TASK_ENGINE not in ("db", "celery"):
    raise ImproperlyConfigured("TASKS is the engine of background work: db or celery")
QUEUES = ["send", "rest", "sync"]
if TASK_ENGINE == "db":
    TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": QUEUES}}
    TASK_WORKER = "{manage} db_worker --queue-name {queue} --interval 0.2 --no-reload --no-startup-delay"
else:
    TASKS = {"default": {"BACKEND": "config.engine.CeleryBackend", "QUEUES": QUEUES}}
    TASK_WORKER = (
        f"-m celery --workdir {BASE_DIR} -A config.celery worker --queues {{queue}} --hostname {{queue}}@%h "
        "--pool solo --without-gossip --without-mingle --loglevel warning"
    )
    CELERY_BROKER_URL = env("BROKER_URL")
    # Logs stay ours: one handler, with the filter that lets no secret through.
    CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# --- people -------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "merchants.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "order_list"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
# The first only counts tries and refuses who had too many; passwords are the second one's.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
# Five wrong passwords for one name from one address: a warehouse shares its address, one typist must not
# lock out the others.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_CLIENT_IP_CALLABLE = "merchants.guessing.client_ip"
AXES_LOCKOUT_CALLABLE = "merchants.guessing.locked_out"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "csrfmiddlewaretoken", "kept", "code"]
AXES_ENABLE_ADMIN = AXES_VERBOSE = False
AXES_DISABLE_ACCESS_LOG = True
REQUIRE_ADMIN_TOTP = env.bool("REQUIRE_ADMIN_TOTP", default=False)
OTP_TOTP_ISSUER = "Fahuo"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_IDLE_AGE = 2 * 3600
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "merchants.csrf.stale_form"
EMAIL_CONFIG = env.email_url_config(env("EMAIL_URL", default="") or "consolemail://")
vars().update(EMAIL_CONFIG)

# Who mails come from; the whole of a mail may take so many seconds.
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env("MAIL_FROM", default="") or "fahuo@localhost"
EMAIL_TIMEOUT = 15
# host:port of stand-ins for the three robots, for tests and the demo: whatever stands here may be called.
ALERT_HOSTS = env.list("ALERT_HOSTS", default=[])

# --- words and time -----------------------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
USE_I18N = True
USE_TZ = True
TIME_ZONE = env("TIME_ZONE", default="Asia/Shanghai")

# --- files --------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- content security policy --------------------------------------------------------------------------
# No unsafe-inline, no unsafe-eval: scripts and styles are files of our own (templates are linted for it).
# Pictures come from the platform over https; the sandbox serves its own over http on the loopback.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "https:", *([WECHAT_API_URL] if IS_DEMO else [])],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- seen from outside --------------------------------------------------------------------------------
# Who asks for /metrics says it ("Authorization: Bearer …"); without one only this machine is answered.
METRICS_TOKEN = env("METRICS_TOKEN", default="")
# Hours after which people are told again of what still needs them.
ALERT_REPEAT_HOURS = env.float("ALERT_REPEAT_HOURS", default=4)
# A worker not seen for so many seconds is late: /readyz says so, and people are told.
WORKER_SEEN_SECONDS = env.int("WORKER_SEEN_SECONDS", default=120)

# --- logs: stderr, and a mail for what broke; everything through the redaction filter ------------------
LOG_FORMAT = env("LOG_FORMAT", default="") or "text"
if LOG_FORMAT not in ("json", "text"):
    raise ImproperlyConfigured("LOG_FORMAT is how log lines are written: json or text")
ADMINS = [("", address) for address in env.list("ADMINS", default=[])]
DEFAULT_EXCEPTION_REPORTER = "merchants.reporting.Reporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "merchants.reporting.Filter"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "redact": {"()": "wechat.secrets.RedactionFilter"},
        "live": {"()": "django.utils.log.RequireDebugFalse"},
    },
    "formatters": {"line": {"()": "merchants.logs.formatter", "style": LOG_FORMAT}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["redact"]},
        "mail": {
            "class": "django.utils.log.AdminEmailHandler",
            "level": "ERROR",
            "filters": ["live", "redact"],
        },
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "urllib3": {"level": "WARNING"},
        "django": {"handlers": ["stderr", "mail"], "level": "INFO", "propagate": False},
        "django.server": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        # gunicorn brings a handler of its own to its processes.
        "gunicorn.error": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        # A line for each request is for machines: people at a terminal would not find their own.
        "fahuo.request": {"level": "INFO" if LOG_FORMAT == "json" else "WARNING"},
        "django_tasks": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
        # It would say in every process that Pillow, which SVG does not need, is missing.
        "pyBarcode": {"level": "WARNING"},
    },
}
SILENCED_SYSTEM_CHECKS: list[str] = []
