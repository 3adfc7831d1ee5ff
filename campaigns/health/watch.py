"""The checks, by those who run them: the worker, beat and the web server."""

from threading import Thread

import structlog
from django.db import connection
from django.utils import timezone

from campaigns import attempts
from campaigns.health.problems import deliver_problem_mails, list_open_problems, record_findings
from campaigns.health.processes import check_processes
from campaigns.health.services import check_services
from campaigns.models import Problem

log = structlog.get_logger(__name__)

PAUSE = 10  # seconds between two checks that pages ask for
_ABOUT_STRIPE = {Problem.Kind.STRIPE, Problem.Kind.STRIPE_KEY, Problem.Kind.WEBHOOKS}
# While one of these is open, the worker may not send e-mails.
_ABOUT_PROCESSES = {Problem.Kind.WORKER, Problem.Kind.BEAT, Problem.Kind.BROKER}


def watch_everything() -> None:
    """Check everything. For the worker, which also sends the e-mails."""
    now = timezone.now()
    open_kinds = {problem.kind for problem in list_open_problems()}
    record_findings(check_processes(at=now), at=now)
    is_stripe_broken = bool(open_kinds & _ABOUT_STRIPE)
    record_findings(check_services(at=now, is_stripe_broken=is_stripe_broken), at=now)


def watch_processes() -> None:
    """Check the processes, and send the e-mails that a stopped worker can't send."""
    now = timezone.now()
    record_findings(check_processes(at=now), at=now)
    if any(problem.kind in _ABOUT_PROCESSES for problem in list_open_problems()):
        deliver_problem_mails(at=timezone.now())


def watch_processes_soon() -> None:
    """Check the processes for a page, at most every few seconds.

    The page waits for the checks but not for a mail server: a thread sends the e-mails.
    """
    if not attempts.is_first_within(PAUSE, name="health:processes"):
        return
    now = timezone.now()
    record_findings(check_processes(at=now), at=now)
    if any(problem.kind in _ABOUT_PROCESSES for problem in list_open_problems()):
        Thread(target=_deliver_mails, name="problem-mails", daemon=True).start()


def _deliver_mails() -> None:
    try:
        deliver_problem_mails(at=timezone.now())
    except Exception:  # the next page tries again
        log.exception("problem_mails_failed")
    finally:
        connection.close()
