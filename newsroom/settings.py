"""Settings, read from environment variables or from the file `.env`.

`.env.example` describes each variable; a test compares it with this file. `newsroom.environment`
collects values that can't be read, and the last lines refuse them. `manage.py check` reports values
that are unsafe (campaigns/checks.py). Nothing starts while there is an error.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import django_stubs_ext
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _
from kombu import Exchange, Queue

from newsroom.environment import Environment
from newsroom.logs import LOG_LEVELS, configure_logging

# Allows type parameters on Django's classes, as in ModelAdmin[Campaign].
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()
env_file = Path(env.text("ENV_FILE", default=str(BASE_DIR / ".env")))
if "ENV_FILE" in os.environ or env_file.exists():
    env.read_file(env_file)

# These secrets are public, so they are only for the demo and the tests. The checks refuse them
# unless DEMO is on.
DEMO_SECRETS = {
    "SECRET_KEY": "demo-only-secret-key-that-everybody-can-read-0123456789",
    "STRIPE_SECRET_KEY": "sk_test_demo",
    "STRIPE_WEBHOOK_SECRET": "whsec_demo",
    "GIFT_CODE_KEY": "demo-only-gift-code-key",
}

DEMO = env.flag("DEMO", default=False)
DEBUG = env.flag("DEBUG", default=False)
# Production with a test key or the pretend Stripe. A banner on every page says so.
REHEARSAL = env.flag("REHEARSAL", default=False)
SECRET_KEY = env.secret("SECRET_KEY", default=DEMO_SECRETS["SECRET_KEY"])
SITE_URL = env.url(
    "SITE_URL", default="http://127.0.0.1:8000", example="https://members.example.org"
)
IS_HTTPS = SITE_URL.startswith("https://")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
CSRF_TRUSTED_ORIGINS = env.urls(
    "CSRF_TRUSTED_ORIGINS", default=[], example="https://www.example.org"
)
CSRF_FAILURE_VIEW = "campaigns.admin.error_pages.refuse_form"
BEHIND_PROXY = env.proxies("BEHIND_PROXY", default=0)
# The newspaper's own first page. Without it, links to the newspaper lead to the running campaign.
NEWSPAPER_URL = env.url("NEWSPAPER_URL", default="", example="https://www.example.org/")
# Links in the footer of readers' pages and above the button that leads to payment.
TERMS_URL = env.url("TERMS_URL", default="", example="https://www.example.org/terms")
PRIVACY_URL = env.url("PRIVACY_URL", default="", example="https://www.example.org/privacy")
WITHDRAWAL_URL = env.url("WITHDRAWAL_URL", default="", example="https://www.example.org/withdrawal")
# Lines on receipts, separated by "|": the address and the VAT number.
RECEIPT_ISSUER = [line.strip() for line in env.text("RECEIPT_ISSUER", default="").split("|")]
NEWSROOM_NAME = env.text("NEWSROOM_NAME", default="The Meridian Post")
# The header in which a content delivery network names the reader's country. Empty: not known.
COUNTRY_HEADER = env.header("COUNTRY_HEADER", default="")
# Of how many readers one is a supporter, for {one_in} in texts. 0: not known.
READERS_PER_SUPPORTER = env.integer("READERS_PER_SUPPORTER", default=0)
# The path of an SVG file.
NEWSROOM_LOGO = env.text("NEWSROOM_LOGO", default="")

DATA_DIR = env.folder("DATA_DIR", default=BASE_DIR / (".demo" if DEMO else "data"))
PUBLISH_DIR = env.folder("PUBLISH_DIR", default=DATA_DIR / "published")
# Another storage for published files than PUBLISH_DIR.
PUBLISH_STORAGE = env.text("PUBLISH_STORAGE", default="campaigns.banners.storage.FolderStorage")
PUBLISH_STORAGE_OPTIONS = env.pairs("PUBLISH_STORAGE_OPTIONS", default={})
# Articles show an older banner without its number. Banners are published about once a minute.
BANNER_MAX_AGE_MINUTES = env.integer("BANNER_MAX_AGE_MINUTES", default=30, least=5, most=10_080)
# For how many days a reader can hide banners.
BANNER_HIDE_DAYS = env.integer("BANNER_HIDE_DAYS", default=14, least=1, most=365)
# Whether a page that knows its reader is a member shows thanks in a banner's place.
BANNER_FOR_MEMBERS = env.choice("BANNER_FOR_MEMBERS", ("THANKS", "NOTHING"), default="THANKS")
MAIL_DIR = env.folder("MAIL_DIR", default=DATA_DIR / "mails")
FONT_DIR = env.folder("FONT_DIR", default=Path("/usr/share/fonts"))  # for more scripts

# Stripe

STRIPE_SECRET_KEY = env.secret("STRIPE_SECRET_KEY", default=DEMO_SECRETS["STRIPE_SECRET_KEY"])
STRIPE_WEBHOOK_SECRET = env.words(
    "STRIPE_WEBHOOK_SECRET", default=[DEMO_SECRETS["STRIPE_WEBHOOK_SECRET"]]
)
STRIPE_API_BASE = env.url("STRIPE_API_BASE", default="", example="http://127.0.0.1:4242")
# Calls to Stripe a second that all processes share; 0 means no limit, as for the pretend Stripe.
# Stripe allows 100 in live mode and 25 in test mode: https://docs.stripe.com/rate-limits
_usual_calls = 80 if "_live_" in STRIPE_SECRET_KEY else 20
STRIPE_CALLS_PER_SECOND = env.integer(
    "STRIPE_CALLS_PER_SECOND", default=0 if STRIPE_API_BASE else _usual_calls
)
EVENT_RETENTION_DAYS = env.integer("EVENT_RETENTION_DAYS", default=400, most=36_500)
# Days of access after a failed renewal, counted from the end of the paid time.
GRACE_DAYS = env.integer("GRACE_DAYS", default=14, most=365)
RENEWAL_REMINDER_DAYS = env.integers("RENEWAL_REMINDER_DAYS", default=[30, 7], least=1, most=300)
# Whether to adopt subscriptions at our prices that were sold in Stripe's dashboard, without asking.
ADOPT_STRIPE_SALES = env.flag("ADOPT_STRIPE_SALES", default=False)
# Whether Stripe's page takes promotion codes for subscriptions.
PROMOTION_CODES = env.flag("PROMOTION_CODES", default=False)
# Claim codes are derived with this key. When it is replaced, the old key moves to the fallbacks for
# as long as gifts sold under it can be claimed.
GIFT_CODE_KEY = env.secret("GIFT_CODE_KEY", default=DEMO_SECRETS["GIFT_CODE_KEY"])
GIFT_CODE_KEY_FALLBACKS = env.words("GIFT_CODE_KEY_FALLBACKS", default=[])

# A provider that anymail supports also reports bounces. Without one, e-mail goes through EMAIL_URL.
MAIL_PROVIDER = env.text("MAIL_PROVIDER", default="")
ANYMAIL = env.pairs("ANYMAIL", default={})
HAS_ANYMAIL = bool(MAIL_PROVIDER) and find_spec("anymail") is not None

# The application

INSTALLED_APPS = [
    "newsroom.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",  # WhiteNoise serves static files in development as well
    "django.contrib.staticfiles",
    "csp",
    "django_structlog",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "auditlog",
    "campaigns",
    "newsroom.apps.NewsroomConfig",  # loads Celery's app
    *(["newsroom.demo"] if DEMO else []),
    *(["anymail"] if HAS_ANYMAIL else []),
]

MIDDLEWARE = [
    *(["newsroom.middleware.use_client_address"] if BEHIND_PROXY else []),
    "newsroom.middleware.answer_monitoring_early",
    "newsroom.middleware.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "newsroom.middleware.answer_webhooks_early",
    "newsroom.middleware.limit_waits",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "newsroom.middleware.use_language_of_link",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "campaigns.admin.gate.guard_admin",
]

ROOT_URLCONF = "newsroom.urls"
WSGI_APPLICATION = "newsroom.wsgi.application"

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
                "campaigns.views.context.newsroom",
            ],
        },
    },
]

# Processes and threads. Granian reads its two variables itself; checks compare all three with the
# number of connections that the database allows.

WEB_PROCESSES = env.integer("GRANIAN_WORKERS", default=2, least=1)
WEB_THREADS = env.integer("GRANIAN_BLOCKING_THREADS", default=16, least=1)
CELERY_WORKER_CONCURRENCY = env.integer("CELERY_WORKER_CONCURRENCY", default=4, least=1)

# Data

DATABASES = {"default": env.database("DATABASE_URL", default=f"sqlite:///{DATA_DIR}/db.sqlite3")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Each transaction takes the write lock at its first statement, and the others wait. By default,
    # a transaction that reads first and then writes fails with "database is locked".
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;"
        ),
    }
else:
    # Each request and each task takes a connection that an earlier one has left, so there are never
    # more than threads and processes.
    DATABASES["default"] |= {"ENGINE": "newsroom.database", "CONN_MAX_AGE": 0}
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Languages and time

# Where no translation ships, our own sentences are in the site's language: English if it is listed.
LANGUAGES = [(code, _(name)) for code, name in env.languages("LANGUAGES", default=["en", "uk"])]
LANGUAGE_CODE = "en" if "en" in dict(LANGUAGES) else LANGUAGES[0][0]
LOCALE_PATHS = [BASE_DIR / "campaigns" / "locale"]
# Staff type and read times in this zone; campaigns have zones of their own.
NEWSROOM_TIME_ZONE = TIME_ZONE = env.time_zone("NEWSROOM_TIME_ZONE", default="UTC")
FORMAT_MODULE_PATH = "newsroom.formats"

# Static files

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_USE_FINDERS = DEMO or DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if WHITENOISE_USE_FINDERS
        else "whitenoise.storage.CompressedManifestStaticFilesStorage",
    },
    "published": {"BACKEND": PUBLISH_STORAGE, "OPTIONS": PUBLISH_STORAGE_OPTIONS},
}

# E-mail

DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", default="members@meridian-post.example")
# Gets an e-mail about what needs attention. If it is empty, only the admin shows it.
STAFF_EMAIL = env.text("STAFF_EMAIL", default="")
email_url = env.mail_server("EMAIL_URL", default="consolemail://")
EMAIL_BACKEND = email_url["EMAIL_BACKEND"]
EMAIL_HOST = email_url.get("EMAIL_HOST") or "localhost"
EMAIL_PORT = email_url.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = email_url.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = email_url.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = email_url.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = email_url.get("EMAIL_USE_SSL", False)
# Seconds for each of the ten or so exchanges with the mail server. Together they have to take less
# than the 40 seconds of an e-mail's lease.
EMAIL_TIMEOUT = 4
if MAIL_PROVIDER:
    EMAIL_BACKEND = f"anymail.backends.{MAIL_PROVIDER}.EmailBackend"
if DEMO:
    EMAIL_BACKEND = "newsroom.demo.mails.FolderBackend"

# Security

# Shows monitoring the details of /health/ and the metrics. Without it, only staff see the details.
HEALTH_TOKEN = env.text("HEALTH_TOKEN", default="")
# Addresses of the newspaper's site that get tokens of members.
ACCESS_RETURN_URLS = env.urls("ACCESS_RETURN_URLS", default=[], example="https://www.example.org/")
OUTGOING_NETWORKS = env.networks("OUTGOING_NETWORKS", default=[])  # private, and may be called
# The newspaper's own Ghost. The key is a custom integration's: its id, a colon and its secret.
GHOST_URL = env.url("GHOST_URL", default="", example="https://www.example.org").rstrip("/")
GHOST_ADMIN_KEY = env.secret("GHOST_ADMIN_KEY", default="").strip()
GHOST_TIER = env.text("GHOST_TIER", default="").strip()  # empty: Ghost's only paid tier
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# Staff sign in with a second factor: an app's code or a passkey.
REQUIRE_SECOND_FACTOR = env.flag("REQUIRE_SECOND_FACTOR", default=not DEMO)
# Staff confirm who they are before a refund of more than this, in units of its currency.
REAUTHENTICATE_REFUND_OVER = env.integer("REAUTHENTICATE_REFUND_OVER", default=100)
LOGIN_URL, LOGIN_REDIRECT_URL, LOGOUT_REDIRECT_URL = "account_login", "admin:index", "account_login"
ACCOUNT_ADAPTER = "campaigns.admin.logins.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False  # campaigns/admin/logins.py has the limits
ACCOUNT_FORMS = {
    "login": "campaigns.admin.logins.StaffLoginForm",
    "change_password": "campaigns.admin.logins.StaffPasswordForm",
    "reauthenticate": "campaigns.admin.logins.StaffReauthenticateForm",
}
MFA_ADAPTER = "campaigns.admin.logins.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_TOLERANCE = 1
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_HTTPS
MFA_FORMS = {
    "authenticate": "campaigns.admin.logins.StaffCodeForm",
    "reauthenticate": "campaigns.admin.logins.StaffReauthenticateCodeForm",
    "activate_totp": "campaigns.admin.logins.StaffAppForm",
    "add_webauthn": "campaigns.admin.logins.StaffPasskeyForm",
    "edit_webauthn": "campaigns.admin.logins.StaffPasskeyNameForm",
}

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = IS_HTTPS
LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", default=IS_HTTPS)
SECURE_HSTS_SECONDS = env.integer("SECURE_HSTS_SECONDS", default=31_536_000 if IS_HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.flag("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = env.flag("SECURE_HSTS_PRELOAD", default=False)
# HSTS for subdomains and preloading affect the whole domain, so its owner decides about them.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Our forms redirect to Stripe's pages, and browsers apply form-action to the redirect, too.
stripe_pages = ["https://checkout.stripe.com", "https://billing.stripe.com"]
form_targets = [*([STRIPE_API_BASE] if STRIPE_API_BASE else stripe_pages), *ACCESS_RETURN_URLS]
form_origins = ["{0.scheme}://{0.netloc}".format(urlsplit(url)) for url in form_targets]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-src": [SELF],
        "frame-ancestors": [NONE],
        "form-action": [SELF, *form_origins],
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    feature: []
    for feature in ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")
}

# The queue. All due work is in the database, and a message only makes it start sooner. A reader
# therefore never waits long for a broker that doesn't answer.

CELERY_BROKER_URL = env.url(
    "CELERY_BROKER_URL", default="filesystem://", example="redis://host:6379/0"
)
broker = urlsplit(CELERY_BROKER_URL).scheme
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.2,
}
if broker == "filesystem":
    QUEUE_DIR = DATA_DIR / "queue"
    CELERY_BROKER_TRANSPORT_OPTIONS |= {
        "data_folder_in": str(QUEUE_DIR),
        "data_folder_out": str(QUEUE_DIR),
        "control_folder": str(QUEUE_DIR / "control"),
        "processed_folder": str(QUEUE_DIR / "taken"),
        "polling_interval": 0.2,
    }
elif broker in {"redis", "rediss"}:
    CELERY_BROKER_TRANSPORT_OPTIONS |= {
        "socket_connect_timeout": 1,
        "socket_timeout": 2,
    }
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
# The queues of campaigns.jobs. A worker serves all of them unless its --queues say otherwise.
CELERY_TASK_QUEUES = [
    Queue(name, Exchange(name), routing_key=name) for name in ("stripe", "mail", "publish", "slow")
]
CELERY_TASK_DEFAULT_QUEUE = "slow"
CELERY_TASK_SOFT_TIME_LIMIT = 60
CELERY_TASK_TIME_LIMIT = 90
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "newsroom.heartbeats:Scheduler"
# newsroom.celery adds the jobs of campaigns.jobs.
CELERY_BEAT_SCHEDULE = {
    "watch": {"task": "campaigns.tasks.watch", "schedule": 60, "options": {"expires": 60}},
    "reconcile": {
        "task": "campaigns.tasks.reconcile",
        "schedule": crontab(hour=3, minute=20),
        "options": {"expires": 3600},
    },
}

# Logs

LOG_LEVEL = env.choice("LOG_LEVEL", LOG_LEVELS, default="INFO")
LOGGING = configure_logging(level=LOG_LEVEL, readable=DEMO or DEBUG or sys.stderr.isatty())
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False

# `manage.py check` lists these together with all other errors. Everything else stops here.
WRONG_VALUES = env.problems
if sys.argv[1:2] != ["check"]:
    env.refuse_problems()
