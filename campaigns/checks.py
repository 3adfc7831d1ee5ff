"""System checks: every configuration mistake has an id, names its setting and says how to fix it.

Errors (campaigns.E...) stop every command, the web server and the workers. `manage.py check` shows
the warnings (campaigns.W...), some of them only with `--deploy`.
"""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import product
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http.request import validate_host
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import get_template

from campaigns.banners import PLACEMENTS
from campaigns.banners.checks import check_files, check_fonts, check_logo
from campaigns.models import Banner, Goal, Phase
from campaigns.progress import GOAL_KINDS, STATES

CONFIGURATION = "configuration"
BROKERS = ("filesystem", "redis", "rediss", "amqp", "amqps")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SECRET_LENGTH = 32
LONGEST_GRACE_DAYS = 365
KEY_PATTERN = re.compile(r"(sk|rk)_(test|live)_\w+")
WEBHOOK_SECRET_PATTERN = re.compile(r"whsec_\S+")


def register_checks() -> None:
    """Register every check of this module."""
    for check in (
        check_secrets,
        check_stripe,
        check_site,
        check_queue,
        check_files,
        check_fonts,
        check_logo,
        check_mail,
        check_numbers,
        check_grace,
        check_tables,
    ):
        register(check, CONFIGURATION)
    register(check_scale, CONFIGURATION, deploy=True)


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
            hint="Unset DEMO, or set a test key. The demo runs against its own sandbox.",
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
            hint="Unset it. Only the demo and a rehearsal (REHEARSAL=true) use a sandbox.",
            id="campaigns.E007",
        )
    if base and urlsplit(base).hostname not in LOOPBACK:
        yield Error(
            "STRIPE_API_BASE is on another machine, which would receive the secret key.",
            hint="Use the sandbox at 127.0.0.1, or unset STRIPE_API_BASE.",
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


def check_numbers(**_: Any) -> list[CheckMessage]:
    """Check that settings in which 0 has a meaning of its own are not negative."""
    numbers = (
        ("EVENT_RETENTION_DAYS", "days, for example 400. With 0, webhooks stay", "campaigns.E020"),
        ("STRIPE_CALLS_PER_SECOND", "calls, for example 80. 0 is no limit", "campaigns.E051"),
        ("READERS_PER_SUPPORTER", "readers, for example 10000. 0 is unknown", "campaigns.E052"),
    )
    return [
        Error(f"{name} is negative.", hint=f"Set a number of {cure}.", id=check_id)
        for name, cure, check_id in numbers
        if getattr(settings, name) < 0
    ]


def check_grace(**_: Any) -> list[CheckMessage]:
    """Check the length of the grace period."""
    if 0 <= settings.GRACE_DAYS <= LONGEST_GRACE_DAYS:
        return []
    return [
        Error(
            f"GRACE_DAYS is not between 0 and {LONGEST_GRACE_DAYS}.",
            hint="Set how many days a membership continues after a failed renewal, for example 14.",
            id="campaigns.E021",
        )
    ]


def check_tables(**_: Any) -> list[CheckMessage]:
    """Check that the tables of goal kinds, placements and states have every entry, complete."""
    return [
        Error(
            gap,
            hint="Complete the entry in campaigns/progress/goal_kinds.py, "
            "campaigns/progress/states.py or campaigns/banners/placements.py.",
            id="campaigns.E022",
        )
        for gap in (*_find_goal_kind_gaps(), *_find_state_gaps(), *_find_placement_gaps())
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


def _find_goal_kind_gaps() -> Iterator[str]:
    """Yield what is missing in the table of goal kinds, as sentences."""
    for kind in Goal.Kind.values:
        entry = GOAL_KINDS.get(kind)
        if entry is None:
            yield f"The goal kind “{kind}” has no entry in GOAL_KINDS."
            continue
        if not callable(entry.count):
            yield f"The goal kind “{kind}” has no function that counts."
        pattern = entry.get_count_pattern(1000) if callable(entry.get_count_pattern) else ""
        if "{counted}" not in pattern or "{target}" not in pattern:
            yield f"The goal kind “{kind}” has no count pattern with {{counted}} and {{target}}."
        if not entry.roles:
            yield f"The goal kind “{kind}” names no payments that can count."


def _find_state_gaps() -> Iterator[str]:
    """Yield what is missing in the table of states, as sentences."""
    for state in Banner.State.values:
        if state not in STATES:
            yield f"The state “{state}” has no entry in STATES."
    for phase, goal_reached in product(Phase, (False, True)):
        matches = [entry.matches(phase, goal_reached=goal_reached) for entry in STATES.values()]
        if sum(matches) != 1:
            goal = "a reached goal" if goal_reached else "an open goal"
            yield f"{sum(matches)} states match the phase “{phase.value}” with {goal}."


def _find_placement_gaps() -> Iterator[str]:
    """Yield what is missing in the table of placements, as sentences."""
    for placement in Banner.Placement.values:
        entry = PLACEMENTS.get(placement)
        if entry is None:
            yield f"The placement “{placement}” has no entry in PLACEMENTS."
            continue
        try:
            get_template(entry.template)
        except (TemplateDoesNotExist, TemplateSyntaxError) as error:
            yield f"The placement “{placement}” has no usable template: {error}."
        for kind in Goal.Kind.values:
            texts = entry.texts.get(kind, {})
            for state in Banner.State.values:
                default = texts.get(state)
                if default is None or not str(default.headline) or not str(default.text):
                    yield (
                        f"The placement “{placement}” has no default text for the goal kind "
                        f"“{kind}” in the state “{state}”."
                    )


def _is_https() -> bool:
    return bool(settings.SITE_URL.startswith("https://"))
