"""Is everything set up? One list of findings for the admin, `manage.py check` and /health/.

Settings are checked by Django's system checks; the rest is what the watch has noticed and when each
part last worked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.checks import CheckMessage, run_checks
from django.db import connection, models
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import ghost
from campaigns.health.facts import (
    find_last_event,
    find_last_publish,
    find_last_reconcile,
    measure_disks,
    read_signs,
)
from campaigns.health.problems import list_open_problems
from campaigns.models import GhostSite, OutgoingMail, Problem, Sign, StripeEvent

LEAST_FREE = 0.1  # of a disk
MOST_SKEW = timedelta(seconds=5)
_EVENTS_READ = 20
_HIGHEST_LEVEL = 30  # of a warning; errors are above


class State(models.TextChoices):
    GOOD = "good", _("works")
    WARNING = "warning", _("check this")
    BAD = "bad", _("broken")
    UNKNOWN = "unknown", _("not seen yet")


@dataclass(frozen=True)
class Finding:
    """One part: its state, when it last worked, details, and what to do unless it is good."""

    name: str  # of a part, or the id of a check
    label: Promise | str
    state: State
    worked_at: datetime | None = None
    detail: str = ""
    cure: Promise | str = ""

    @property
    def is_good(self) -> bool:
        return self.state is State.GOOD


def check_setup(*, at: datetime, is_thorough: bool = False) -> list[Finding]:
    """Return a finding for every part.

    A thorough check has those of `manage.py check --deploy`, too: it tries the database, the
    broker, the mail server, the publish folder and Stripe, which can take seconds.
    """
    problems = {problem.kind: problem for problem in list_open_problems()}
    return [
        *check_settings(is_thorough=is_thorough),
        *check_services(problems, at=at),
    ]


def check_settings(*, is_thorough: bool) -> list[Finding]:
    """Return a finding for each message of the system checks, or one that there are none."""
    found = [
        Finding(
            name=message.id or "check",
            label=str(message.msg),
            state=State.WARNING if message.level <= _HIGHEST_LEVEL else State.BAD,
            cure=message.hint or "",
        )
        for message in _list_messages(is_thorough=is_thorough)
    ]
    return found or [Finding("settings", _("Settings"), State.GOOD)]


def check_services(problems: dict[str, Problem], *, at: datetime) -> Iterator[Finding]:
    """Yield a finding for each part that runs, from what the watch noticed."""
    signs = read_signs()
    webhook = Sign.objects.filter(of=Sign.Of.WEBHOOK).values_list("seen_at", flat=True).first()
    yield _check_key(problems)
    yield _check_part(
        "webhooks",
        _("Stripe’s webhooks"),
        problems.get(Problem.Kind.WEBHOOKS),
        worked_at=webhook or find_last_event(),
        cure=_(
            "No event from Stripe has arrived. Make a test payment. If none arrives, "
            "check the webhook endpoint in Stripe’s dashboard."
        ),
    )
    yield _check_part(
        "mail",
        _("E-mail"),
        problems.get(Problem.Kind.MAIL),
        worked_at=_find_last_mail(),
        cure=_("No e-mail has been sent yet. The first sale sends a receipt."),
    )
    yield _check_part("queue", _("Queue"), problems.get(Problem.Kind.BROKER), is_seen=True)
    for kind, of, label in (
        (Problem.Kind.WORKER, Sign.Of.WORKER, _("Worker")),
        (Problem.Kind.BEAT, Sign.Of.BEAT, _("Celery beat, which starts periodic jobs")),
    ):
        yield _check_part(
            of.value,
            label,
            problems.get(kind),
            worked_at=signs[of.value],
            cure=Problem.CURES[kind],
        )
    yield _check_part("jobs", _("Due jobs"), problems.get(Problem.Kind.WORK), is_seen=True)
    yield _check_part(
        "publishing",
        _("Published banners"),
        problems.get(Problem.Kind.PUBLISHING),
        worked_at=find_last_publish(),
        cure=_(
            "Nothing has been published yet. A campaign publishes its banners once it has a goal."
        ),
    )
    yield _check_part(
        "reconciliation",
        _("Comparison with Stripe’s books"),
        None,
        worked_at=find_last_reconcile(),
        cure=_("It runs within a day after the worker and beat have started."),
    )
    yield from _check_ghost(problems)
    yield from _check_disks()
    yield _check_clock(at=at)


def _check_ghost(problems: dict[str, Problem]) -> Iterator[Finding]:
    """Yield a finding if there is a Ghost, or was one that had a problem."""
    kinds = (
        *(Problem.Kind.GHOST, Problem.Kind.GHOST_KEY, Problem.Kind.GHOST_TIER),
        Problem.Kind.GHOST_STRIPE,
    )
    problem = next((problems[kind] for kind in kinds if kind in problems), None)
    if problem is not None or ghost.is_in_use():
        yield _check_part(
            "ghost",
            _("Members in Ghost"),
            problem,
            worked_at=GhostSite.read().worked_at,
            cure=_("Nothing was written to Ghost yet. Run: manage.py sync_ghost --dry-run"),
        )


def _list_messages(*, is_thorough: bool) -> list[CheckMessage]:
    found = run_checks(include_deployment_checks=is_thorough)
    return sorted(
        (message for message in found if not message.is_silenced()),
        key=lambda message: (-message.level, str(message.id)),
    )


def _check_part(
    name: str,
    label: Promise | str,
    problem: Problem | None,
    *,
    worked_at: datetime | None = None,
    is_seen: bool = False,
    cure: Promise | str = "",
) -> Finding:
    """Return a part's finding. `cure` is for a part that has never been seen to work."""
    if problem is not None:
        return Finding(name, label, State.BAD, worked_at, problem.detail, problem.cure)
    if worked_at is None and not is_seen:
        return Finding(name, label, State.UNKNOWN, cure=cure)
    return Finding(name, label, State.GOOD, worked_at)


def read_key_mode() -> str:
    """Return "live" or "test", as Stripe's key says it."""
    return "live" if "_live_" in settings.STRIPE_SECRET_KEY else "test"


def _check_key(problems: dict[str, Problem]) -> Finding:
    problem = problems.get(Problem.Kind.STRIPE_KEY) or problems.get(Problem.Kind.STRIPE)
    label = _("Stripe")
    if problem is not None:
        return Finding("stripe", label, State.BAD, None, problem.detail, problem.cure)
    if read_key_mode() == "live":
        return Finding("stripe", label, State.GOOD, detail=gettext("Live key: payments are real."))
    is_meant = settings.DEMO or settings.REHEARSAL
    return Finding(
        "stripe",
        label,
        State.GOOD if is_meant else State.WARNING,
        detail=gettext("Test key: no real money is charged."),
        cure="" if is_meant else _("Set STRIPE_SECRET_KEY to the live key before the campaign."),
    )


def _find_last_mail() -> datetime | None:
    sent = OutgoingMail.objects.filter(sent_at__isnull=False).order_by("-created_at")
    return sent.values_list("sent_at", flat=True).first()


def _check_disks() -> Iterator[Finding]:
    for name, free, total in measure_disks():
        detail = gettext("%(free)s of %(total)s GB are free.") % {
            "free": round(free / 1e9),
            "total": round(total / 1e9),
        }
        is_full = free < total * LEAST_FREE
        yield Finding(
            f"disk {name}",
            gettext("Disk of %(name)s") % {"name": name},
            State.BAD if is_full else State.GOOD,
            detail=detail,
            cure=_("Free some space: banners can’t be published on a full disk.")
            if is_full
            else "",
        )


def measure_skew(*, at: datetime) -> timedelta:
    """Return how far our clock is ahead of the database's, or behind Stripe's.

    An event that arrives before Stripe made it shows that our clock is behind.
    """
    newest = StripeEvent.objects.order_by("-pk")[:_EVENTS_READ]
    times = newest.values_list("created_at", "received_at")
    early = max((made - arrived for made, arrived in times), default=timedelta(0))
    there = read_database_clock()
    apart = timedelta(0) if there is None else abs(at - there)
    return max(early, apart, timedelta(0))


def read_database_clock() -> datetime | None:
    """Return the time of the database's server; None if it has no clock of its own."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def _check_clock(*, at: datetime) -> Finding:
    skew = measure_skew(at=at)
    if skew <= MOST_SKEW:
        return Finding("clock", _("Clock"), State.GOOD)
    return Finding(
        "clock",
        _("Clock"),
        State.BAD,
        detail=gettext("It is wrong by %(seconds)s seconds.")
        % {"seconds": round(skew.total_seconds())},
        cure=_(
            "Synchronize the server’s clock with NTP: payments near the campaign’s end "
            "depend on it."
        ),
    )
