"""Django settings of the sandbox: its own database file, and none of the project's apps.

`python -m newsroom.sandbox` sets NEWSROOM_SANDBOX_DATA before Django reads this file.
"""

import os
from pathlib import Path

DATA_DIR = Path(os.environ.get("NEWSROOM_SANDBOX_DATA", "var/sandbox"))

# Nothing is signed with it, but Django requires a value.
SECRET_KEY = "the pretend Stripe signs nothing with this"  # noqa: S105
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
ROOT_URLCONF = "newsroom.sandbox.urls"
INSTALLED_APPS = ["newsroom.sandbox"]
# Sets Content-Length. Without it the server would close the connection after each answer.
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
APPEND_SLASH = False
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / "sandbox.sqlite3",
        # Each thread keeps its connection for as long as its client does.
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
            " PRAGMA cache_size=-16000;",
        },
    }
}

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"builtins": ["newsroom.sandbox.templatetags.amounts"]},
    }
]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": True,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "loggers": {
        # Requests contain e-mail addresses, and declined cards are normal here: log only faults.
        "django": {"handlers": ["stderr"], "level": "CRITICAL"},
        "newsroom.sandbox": {"handlers": ["stderr"], "level": "WARNING"},
    },
}

SANDBOX_SECRET_KEY = os.environ.get("NEWSROOM_SANDBOX_SECRET_KEY", "sk_test_newsroom_sandbox")
SANDBOX_WEBHOOK_URL = os.environ.get("NEWSROOM_SANDBOX_WEBHOOK_URL", "")
SANDBOX_WEBHOOK_SECRET = os.environ.get("NEWSROOM_SANDBOX_WEBHOOK_SECRET", "whsec_newsroom_sandbox")
