"""Every mistake of configuration has an id here and says how to mend it.

Errors (campaigns.E...) stop every command, the web server and the workers; warnings
(campaigns.W...) are said by `manage.py check`, some of them only with `--deploy`.
"""

import os
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http.request import validate_host

CONFIGURATION = "configuration"
BROKERS = ("filesystem", "redis", "rediss", "amqp", "amqps")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SECRET_LENGTH = 32
LONGEST_GRACE_DAYS = 365
KEY_PATTERN = re.compile(r"(sk|rk)_(test|live)_\w+")
WEBHOOK_SECRET_PATTERN = re.compile(r"whsec_\S+")


def register_checks() -> None:
    for check in (
        check_secrets,
        check_stripe,
        check_site,
        check_queue,
        check_files,
        check_mail,
        check_retention,
        check_grace,
    ):
        register(check, CONFIGURATION)
    register(check_scale, CONFIGURATION, deploy=True)


def check_secrets(**_: Any) -> list[CheckMessage]:
    """No secret is one that everybody can read in the source, and none is guessable."""
    found: list[CheckMessage] = []
    if settings.DEMO:
        return found
    # The webhook's secret has an id of its own: it is known only once the endpoint is made.
    for name in ("SECRET_KEY", "STRIPE_SECRET_KEY", "GIFT_CODE_KEY"):
        if getattr(settings, name) == settings.DEMO_SECRETS[name]:
            found.append(
                Error(
                    f"{name} is not set, or set to the demo's value, which is public.",
                    hint=f"Set {name} to a secret of your own; .env.example says where from.",
                    id="campaigns.E001",
                )
            )
    secrets = [
        ("SECRET_KEY", settings.SECRET_KEY),
        ("GIFT_CODE_KEY", settings.GIFT_CODE_KEY),
        *(("GIFT_CODE_KEY_FALLBACKS", key) for key in settings.GIFT_CODE_KEY_FALLBACKS),
    ]
    for name, secret in secrets:
        if len(secret) < SECRET_LENGTH:
            found.append(
                Error(
                    f"{name} is shorter than {SECRET_LENGTH} characters.",
                    hint="Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'",
                    id="campaigns.E002",
                )
            )
    return found


def check_stripe(**_: Any) -> list[CheckMessage]:
    """The keys are of the right kind, and belong to the place that they are used in."""
    return [*_check_stripe_key(), *_check_webhook_secrets(), *_check_stripe_address()]


def _check_stripe_key() -> Iterator[CheckMessage]:
    key = settings.STRIPE_SECRET_KEY
    if not KEY_PATTERN.fullmatch(key):
        kind = "a publishable key" if key.startswith("pk_") else "no secret key of Stripe's"
        yield Error(
            f"STRIPE_SECRET_KEY is {kind}.",
            hint="Take the key that begins with sk_ or rk_ from Stripe's dashboard, API keys.",
            id="campaigns.E003",
        )
    if settings.DEMO and "_live_" in key:
        yield Error(
            "STRIPE_SECRET_KEY moves real money, and DEMO is on.",
            hint="Unset DEMO, or give the demo a test key; it runs against its own sandbox.",
            id="campaigns.E004",
        )
    if not settings.DEMO and "_test_" in key and _is_https():
        yield Warning(
            "STRIPE_SECRET_KEY is a test key: no real payment can be made here.",
            hint="Right for a rehearsal. For the campaign set the key that begins with sk_live_.",
            id="campaigns.W001",
        )


def _check_webhook_secrets() -> Iterator[CheckMessage]:
    everybodys = settings.DEMO_SECRETS["STRIPE_WEBHOOK_SECRET"]
    if not settings.STRIPE_WEBHOOK_SECRET or (
        everybodys in settings.STRIPE_WEBHOOK_SECRET and not settings.DEMO
    ):
        yield Error(
            "STRIPE_WEBHOOK_SECRET is not set, or set to the demo's value, which is public.",
            hint="`manage.py stripe_setup --only-webhook` makes the endpoint and prints it.",
            id="campaigns.E005",
        )
    for secret in settings.STRIPE_WEBHOOK_SECRET:
        if not WEBHOOK_SECRET_PATTERN.fullmatch(secret):
            yield Error(
                "STRIPE_WEBHOOK_SECRET holds something that is no webhook secret.",
                hint="Each begins with whsec_; two, while one is being changed, stand with a "
                "comma between them.",
                id="campaigns.E006",
            )


def _check_stripe_address() -> Iterator[CheckMessage]:
    base = settings.STRIPE_API_BASE
    if base and not settings.DEMO:
        yield Error(
            "STRIPE_API_BASE leads away from Stripe: nobody would really pay.",
            hint="Unset STRIPE_API_BASE. Only the demo and the tests name a sandbox in it.",
            id="campaigns.E007",
        )
    if base and urlsplit(base).hostname not in LOOPBACK:
        yield Error(
            "STRIPE_API_BASE is not on this machine, and would be sent the secret key.",
            hint="Name the sandbox by 127.0.0.1, or unset STRIPE_API_BASE.",
            id="campaigns.E008",
        )


def check_site(**_: Any) -> list[CheckMessage]:
    """SITE_URL is where readers come back to from Stripe and from their mails."""
    return list(_check_site())


def _check_site() -> Iterator[CheckMessage]:
    site = urlsplit(settings.SITE_URL)
    if site.scheme not in {"http", "https"} or not site.hostname:
        yield Error(
            f"SITE_URL is no address of a site: {settings.SITE_URL!r}.",
            hint="Write it as https://members.example.org.",
            id="campaigns.E009",
        )
        return
    if site.path or site.query or site.fragment:
        yield Error(
            f"SITE_URL has something after the host: {settings.SITE_URL!r}.",
            hint=f"Write it as {site.scheme}://{site.netloc}, without a slash at its end.",
            id="campaigns.E010",
        )
    if not _is_https() and site.hostname not in LOOPBACK:
        yield Error(
            "SITE_URL is not https: names and addresses would travel in the open.",
            hint=f"Serve the site over TLS and write https://{site.netloc}.",
            id="campaigns.E011",
        )
    if not settings.DEBUG and not validate_host(site.hostname, settings.ALLOWED_HOSTS):
        yield Error(
            f"SITE_URL's host {site.hostname} is not in ALLOWED_HOSTS: readers would get 400.",
            hint=f"Add {site.hostname} to ALLOWED_HOSTS.",
            id="campaigns.E012",
        )
    if settings.DEMO and site.hostname not in LOOPBACK:
        yield Error(
            "DEMO is on, and SITE_URL is an address that others can reach.",
            hint="Unset DEMO and give secrets of your own: the demo's are public.",
            id="campaigns.E013",
        )


def check_queue(**_: Any) -> list[CheckMessage]:
    scheme = urlsplit(settings.CELERY_BROKER_URL).scheme
    if scheme in BROKERS:
        return []
    return [
        Error(
            f"CELERY_BROKER_URL begins with {scheme or 'nothing'}://, no broker known here.",
            hint="Use one of " + ", ".join(f"{name}://" for name in BROKERS) + ".",
            id="campaigns.E014",
        )
    ]


def check_files(**_: Any) -> list[CheckMessage]:
    """Banners are files: without a place to write them no article would show a new count."""
    folder = Path(settings.PUBLISH_DIR)
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return []
    return [
        Error(
            f"PUBLISH_DIR cannot be written: {settings.PUBLISH_DIR}.",
            hint=f"Give the user that runs this the right to write in {folder}.",
            id="campaigns.E015",
        )
    ]


def check_mail(**_: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    try:
        validate_email(settings.DEFAULT_FROM_EMAIL)
    except ValidationError:
        found.append(
            Error(
                "DEFAULT_FROM_EMAIL is no e-mail address.",
                hint="Write it bare, as members@example.org; the name before it is "
                "NEWSROOM_NAME's.",
                id="campaigns.E016",
            )
        )
    if settings.STAFF_EMAIL:
        try:
            validate_email(settings.STAFF_EMAIL)
        except ValidationError:
            found.append(
                Error(
                    "STAFF_EMAIL is no e-mail address.",
                    hint="Write one address, bare; or leave it empty: the admin tells as well.",
                    id="campaigns.E017",
                )
            )
    return [*found, *_check_mail_provider(), *_check_that_mail_leaves()]


def _check_mail_provider() -> Iterator[CheckMessage]:
    provider = settings.MAIL_PROVIDER
    if not provider:
        return
    if not settings.HAS_ANYMAIL:
        yield Error(
            "MAIL_PROVIDER is set, and django-anymail is not installed.",
            hint="Install requirements/production.txt.",
            id="campaigns.E018",
        )
    elif not provider.isidentifier() or find_spec(f"anymail.backends.{provider}") is None:
        yield Error(
            f"MAIL_PROVIDER names no provider that anymail knows: {provider!r}.",
            hint="Write it as anymail does, for example postmark, mailgun or amazon_ses.",
            id="campaigns.E019",
        )
    elif not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        yield Warning(
            "ANYMAIL has no WEBHOOK_SECRET: anybody could tell us that a mail came back.",
            hint="Add WEBHOOK_SECRET=name:password, and give the provider the address with it.",
            id="campaigns.W006",
        )


def _check_that_mail_leaves() -> Iterator[CheckMessage]:
    if settings.EMAIL_BACKEND.endswith("console.EmailBackend") and _is_https():
        yield Warning(
            "EMAIL_URL is not set: receipts and gifts are printed, not sent.",
            hint="Set EMAIL_URL, for example smtp+tls://user:password@mail.example.org:587.",
            id="campaigns.W002",
        )


def check_retention(**_: Any) -> list[CheckMessage]:
    if settings.EVENT_RETENTION_DAYS >= 0:
        return []
    return [
        Error(
            "EVENT_RETENTION_DAYS is below zero.",
            hint="Write a number of days, for example 400; 0 keeps every webhook whole for ever.",
            id="campaigns.E020",
        )
    ]


def check_grace(**_: Any) -> list[CheckMessage]:
    if 0 <= settings.GRACE_DAYS <= LONGEST_GRACE_DAYS:
        return []
    return [
        Error(
            f"GRACE_DAYS is not between 0 and {LONGEST_GRACE_DAYS}.",
            hint="Write for how many days a membership whose renewal failed goes on: 14, say.",
            id="campaigns.E021",
        )
    ]


def check_scale(**_: Any) -> list[CheckMessage]:
    """What is right for a trial, and too small for a campaign that is in every article."""
    found: list[CheckMessage] = []
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        found.append(
            Warning(
                "The database is SQLite: one writer at a time, on one machine.",
                hint="Set DATABASE_URL to a PostgreSQL database before the campaign.",
                id="campaigns.W003",
            )
        )
    if settings.CELERY_BROKER_URL.startswith("filesystem"):
        found.append(
            Warning(
                "The queue is a folder, which web server and workers share on one machine.",
                hint="Set CELERY_BROKER_URL to a Redis or RabbitMQ.",
                id="campaigns.W004",
            )
        )
    if "File" in settings.CACHES["default"]["BACKEND"]:
        found.append(
            Warning(
                "The cache is a folder: limits are counted for one machine.",
                hint="Set CACHE_URL to a Redis, for example rediscache://127.0.0.1:6379/1.",
                id="campaigns.W005",
            )
        )
    return found


def _is_https() -> bool:
    return bool(settings.SITE_URL.startswith("https://"))
