"""System checks: every configuration mistake has an id, names its setting and says how to fix it.

Errors (campaigns.E...) stop the web server, the workers and every command but `campaign_report`.
`manage.py check` shows the warnings (campaigns.W...), some of them only with `--deploy`.
"""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http.request import validate_host
from django.utils import timezone

from campaigns import health
from campaigns.banners.checks import check_files, check_fonts, check_logo
from campaigns.banners.tables import find_table_gaps
from campaigns.health.setup import check_services

BROKERS = ("filesystem", "redis", "rediss", "amqp", "amqps")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SECRET_LENGTH = 32
KEY_PATTERN = re.compile(r"(sk|rk)_(test|live)_\w+")
WEBHOOK_SECRET_PATTERN = re.compile(r"whsec_\S+")


def check_configuration(**given: Any) -> list[CheckMessage]:
    """Check all settings that every program needs."""
    checks = (
        *(check_secrets, check_stripe, check_site, check_queue, check_files, check_fonts),
        *(check_logo, check_mail, check_returns, check_tables),
    )
    return [message for check in checks for message in check(**given)]


def check_secrets(**_: Any) -> list[CheckMessage]:
    """Check that no secret is the demo's or too short."""
    found: list[CheckMessage] = []
    if settings.DEMO:
        return found
    # The webhook's secret has an id of its own: it exists only after the endpoint is created.
    for name in ("SECRET_KEY", "STRIPE_SECRET_KEY", "GIFT_CODE_KEY"):
        if getattr(settings, name) == settings.DEMO_SECRETS[name]:
            found.append(
                Error(
                    f"{name} is not set, or it is the demo's value, which is public.",
                    hint=f"Set {name} to a secret of your own; .env.example says how to get one.",
                    id="campaigns.E001",
                )
            )
    secrets = [
        ("SECRET_KEY", settings.SECRET_KEY),
        ("GIFT_CODE_KEY", settings.GIFT_CODE_KEY),
        *(("GIFT_CODE_KEY_FALLBACKS", key) for key in settings.GIFT_CODE_KEY_FALLBACKS),
        *([("HEALTH_TOKEN", settings.HEALTH_TOKEN)] if settings.HEALTH_TOKEN else []),
    ]
    for name, secret in secrets:
        if len(secret) < SECRET_LENGTH:
            found.append(
                Error(
                    f"{name} is shorter than {SECRET_LENGTH} characters.",
                    hint="Create it: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'",
                    id="campaigns.E002",
                )
            )
    return found


def check_stripe(**_: Any) -> list[CheckMessage]:
    """Check that the keys are of the right kind and belong to this environment."""
    return [*_check_stripe_key(), *_check_webhook_secrets(), *_check_stripe_address()]


def _check_stripe_key() -> Iterator[CheckMessage]:
    key = settings.STRIPE_SECRET_KEY
    if not KEY_PATTERN.fullmatch(key):
        kind = "a publishable key" if key.startswith("pk_") else "not one of Stripe's secret keys"
        yield Error(
            f"STRIPE_SECRET_KEY is {kind}.",
            hint="Copy the key that starts with sk_ or rk_ from API keys in Stripe's dashboard.",
            id="campaigns.E003",
        )
    if settings.DEMO and "_live_" in key:
        yield Error(
            "STRIPE_SECRET_KEY is a live key, but DEMO is on.",
            hint="Unset DEMO, or set a test key. The demo has its own pretend Stripe.",
            id="campaigns.E004",
        )
    if not (settings.DEMO or settings.REHEARSAL) and "_test_" in key and _is_https():
        yield Warning(
            "STRIPE_SECRET_KEY is a test key, so no real payments are possible.",
            hint="Set the key that starts with sk_live_, or REHEARSAL=true for a test.",
            id="campaigns.W001",
        )


def _check_webhook_secrets() -> Iterator[CheckMessage]:
    demo_secret = settings.DEMO_SECRETS["STRIPE_WEBHOOK_SECRET"]
    if not settings.STRIPE_WEBHOOK_SECRET or (
        demo_secret in settings.STRIPE_WEBHOOK_SECRET and not settings.DEMO
    ):
        yield Error(
            "STRIPE_WEBHOOK_SECRET is not set, or it is the demo's value, which is public.",
            hint="`manage.py stripe_setup --only-webhook` creates the endpoint and prints it.",
            id="campaigns.E005",
        )
    for secret in settings.STRIPE_WEBHOOK_SECRET:
        if not WEBHOOK_SECRET_PATTERN.fullmatch(secret):
            yield Error(
                "STRIPE_WEBHOOK_SECRET contains something that is not a webhook secret.",
                hint="Each secret starts with whsec_. Separate two secrets with a comma.",
                id="campaigns.E006",
            )


def _check_stripe_address() -> Iterator[CheckMessage]:
    base = settings.STRIPE_API_BASE
    if base and not (settings.DEMO or settings.REHEARSAL):
        yield Error(
            "STRIPE_API_BASE is set, so payments wouldn't go to Stripe.",
            hint="Unset it. Only the demo and a rehearsal (REHEARSAL=true) use a pretend Stripe.",
            id="campaigns.E007",
        )
    if base and urlsplit(base).hostname not in LOOPBACK:
        yield Error(
            "STRIPE_API_BASE is on another machine, which would receive the secret key.",
            hint="Use a pretend Stripe at 127.0.0.1, or unset STRIPE_API_BASE.",
            id="campaigns.E008",
        )


def check_site(**_: Any) -> list[CheckMessage]:
    """Check SITE_URL: readers return to it from Stripe and from their e-mails."""
    return list(_check_site())


def _check_site() -> Iterator[CheckMessage]:
    site = urlsplit(settings.SITE_URL)
    if site.scheme not in {"http", "https"} or not site.hostname:
        yield Error(
            f"SITE_URL is not a URL: {settings.SITE_URL!r}.",
            hint="Write it as https://members.example.org.",
            id="campaigns.E009",
        )
        return
    if site.path or site.query or site.fragment:
        yield Error(
            f"SITE_URL contains more than the host: {settings.SITE_URL!r}.",
            hint=f"Write it as {site.scheme}://{site.netloc}, without a slash at the end.",
            id="campaigns.E010",
        )
    if not _is_https() and site.hostname not in LOOPBACK:
        yield Error(
            "SITE_URL is not https, so names and addresses would be sent unencrypted.",
            hint=f"Serve the site over TLS and set it to https://{site.netloc}.",
            id="campaigns.E011",
        )
    if not settings.DEBUG and not validate_host(site.hostname, settings.ALLOWED_HOSTS):
        yield Error(
            f"SITE_URL's host {site.hostname} is not in ALLOWED_HOSTS: readers would get an error.",
            hint=f"Add {site.hostname} to ALLOWED_HOSTS.",
            id="campaigns.E012",
        )
    news = urlsplit(settings.NEWSPAPER_URL or "https://www.example.org/")
    if news.scheme not in {"http", "https"} or news.netloc in {"", site.netloc}:
        yield Error(
            f"NEWSPAPER_URL is not the address of another site: {settings.NEWSPAPER_URL!r}.",
            hint="Write the newspaper's own address, as https://www.example.org/, or remove it.",
            id="campaigns.E030",
        )
    for name in ("TERMS_URL", "PRIVACY_URL", "WITHDRAWAL_URL"):
        notice = urlsplit(getattr(settings, name) or "https://www.example.org/")
        if notice.scheme not in {"http", "https"} or not notice.netloc:
            yield Error(
                f"{name} is not a web address: {getattr(settings, name)!r}.",
                hint=f"Write it like https://www.example.org/terms, or remove {name}.",
                id="campaigns.E036",
            )
    if settings.DEMO and site.hostname not in LOOPBACK:
        yield Error(
            "DEMO is on, but other people can reach SITE_URL.",
            hint="Unset DEMO and set secrets of your own: the demo's secrets are public.",
            id="campaigns.E013",
        )


def check_queue(**_: Any) -> list[CheckMessage]:
    """Check that Celery's broker is one of those we support."""
    scheme = urlsplit(settings.CELERY_BROKER_URL).scheme
    if scheme in BROKERS:
        return []
    return [
        Error(
            f"CELERY_BROKER_URL starts with {scheme or 'nothing'}://, which is not supported.",
            hint="Use one of " + ", ".join(f"{name}://" for name in BROKERS) + ".",
            id="campaigns.E014",
        )
    ]


def check_mail(**_: Any) -> list[CheckMessage]:
    """Check the sender, the staff's address and the way e-mails are sent."""
    found: list[CheckMessage] = []
    try:
        validate_email(settings.DEFAULT_FROM_EMAIL)
    except ValidationError:
        found.append(
            Error(
                "DEFAULT_FROM_EMAIL is not an e-mail address.",
                hint="Write only the address, for example members@example.org. The sender's name "
                "is NEWSROOM_NAME.",
                id="campaigns.E016",
            )
        )
    if settings.STAFF_EMAIL:
        try:
            validate_email(settings.STAFF_EMAIL)
        except ValidationError:
            found.append(
                Error(
                    "STAFF_EMAIL is not an e-mail address.",
                    hint="Write one address without a name, or leave it empty.",
                    id="campaigns.E017",
                )
            )
    return [*found, *_check_mail_provider(), *_check_mail_backend()]


def _check_mail_provider() -> Iterator[CheckMessage]:
    provider = settings.MAIL_PROVIDER
    if not provider:
        return
    if not settings.HAS_ANYMAIL:
        yield Error(
            "MAIL_PROVIDER is set, but django-anymail is not installed.",
            hint="Install requirements/production.txt.",
            id="campaigns.E018",
        )
    elif not provider.isidentifier() or find_spec(f"anymail.backends.{provider}") is None:
        yield Error(
            f"MAIL_PROVIDER is not a provider that anymail supports: {provider!r}.",
            hint="Use anymail's spelling, for example postmark, mailgun or amazon_ses.",
            id="campaigns.E019",
        )
    elif not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        yield Warning(
            "ANYMAIL has no WEBHOOK_SECRET, so anyone could report an e-mail as bounced.",
            hint="Set WEBHOOK_SECRET=name:password and add it to the provider's webhook URL.",
            id="campaigns.W006",
        )


def _check_mail_backend() -> Iterator[CheckMessage]:
    if settings.EMAIL_BACKEND.endswith("console.EmailBackend") and _is_https():
        yield Warning(
            "EMAIL_URL is not set, so receipts and gifts are printed, not sent.",
            hint="Set EMAIL_URL, for example smtp+tls://user:password@mail.example.org:587.",
            id="campaigns.W002",
        )


def check_returns(**_: Any) -> list[CheckMessage]:
    """Check that members return to whole addresses, encrypted unless they stay on this machine."""
    return [
        Error(
            f"ACCESS_RETURN_URLS has {url!r}, which is not the https address of a site.",
            hint="Write whole addresses, for example https://www.example.org/.",
            id="campaigns.E054",
        )
        for url in settings.ACCESS_RETURN_URLS
        if not _is_site(url)
    ]


def _is_site(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    return is_safe and bool(parts.hostname) and not parts.query and "@" not in parts.netloc


def check_tables(**_: Any) -> list[CheckMessage]:
    """Check that the tables of goal kinds, placements and states have every entry, complete."""
    return [
        Error(
            gap,
            hint="Complete the entry in campaigns/progress/goal_kinds.py, "
            "campaigns/progress/states.py or campaigns/banners/placements.py.",
            id="campaigns.E022",
        )
        for gap in find_table_gaps()
    ]


def check_scale(**_: Any) -> list[CheckMessage]:
    """Warn of settings that are fine for a trial, but too small for a campaign in every article."""
    found: list[CheckMessage] = []
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        found.append(
            Warning(
                "The database is SQLite, which allows one writer at a time, on one machine.",
                hint="Set DATABASE_URL to a PostgreSQL database before the campaign.",
                id="campaigns.W003",
            )
        )
    if settings.CELERY_BROKER_URL.startswith("filesystem"):
        found.append(
            Warning(
                "The queue is a folder, so web server and workers have to run on one machine.",
                hint="Set CELERY_BROKER_URL to a Redis or RabbitMQ server.",
                id="campaigns.W004",
            )
        )
    return found


def check_parts(**given: Any) -> list[CheckMessage]:
    """Report what the admin's page "Is everything set up?" shows in red, apart from settings.

    Runs only with `manage.py check --deploy --database default`: it reads what the watch noticed.
    """
    if not given.get("databases"):
        return []
    problems = {problem.kind: problem for problem in health.list_open_problems()}
    return [
        Warning(
            f"{finding.label}: {finding.detail or finding.state.label}",
            hint=str(finding.cure),
            id="campaigns.W053",
        )
        for finding in check_services(problems, at=timezone.now())
        if finding.state is health.State.BAD
    ]


def _is_https() -> bool:
    return bool(settings.SITE_URL.startswith("https://"))
