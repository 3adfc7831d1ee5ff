"""Problems: each begins and ends once, and staff get one e-mail for each."""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction

from campaigns import emails
from campaigns.health.processes import Findings
from campaigns.models import OutgoingMail, Problem

log = structlog.get_logger(__name__)

SETTLED = timedelta(minutes=2)


def list_open_problems() -> list[Problem]:
    return list(Problem.objects.filter(ended_at__isnull=True).order_by("begun_at", "pk"))


def record_findings(findings: Findings, *, at: datetime) -> None:
    """Begin, continue or end the problems of the kinds that were checked."""
    for kind, detail in findings.items():
        if detail is None:
            _end_problem(kind, at=at)
        else:
            _continue_problem(kind, detail, at=at)


def _continue_problem(kind: Problem.Kind, detail: str, *, at: datetime) -> None:
    problems = Problem.objects.filter(kind=kind, ended_at__isnull=True)
    if not problems.update(seen_at=at, detail=detail[:200]):
        try:
            with transaction.atomic():
                Problem.objects.create(kind=kind, detail=detail[:200], begun_at=at, seen_at=at)
        except IntegrityError:
            return  # another process noticed it in the same moment
        log.error("problem_began", kind=str(kind), detail=detail)
    patience = Problem.PATIENCE.get(kind, timedelta(0))
    problem = problems.filter(told_at__isnull=True, begun_at__lte=at - patience).first()
    if problem is not None:
        with transaction.atomic():
            if Problem.objects.filter(pk=problem.pk, told_at__isnull=True).update(told_at=at):
                _schedule_mail(problem, "began")


def _end_problem(kind: Problem.Kind, *, at: datetime) -> None:
    problems = Problem.objects.filter(kind=kind, ended_at__isnull=True)
    if kind in Problem.SEEN_BY_MACHINES:
        problems = problems.filter(seen_at__lte=at - SETTLED)
    problem = problems.first()
    if problem is None:
        return
    with transaction.atomic():
        ended = Problem.objects.filter(pk=problem.pk, ended_at__isnull=True).update(ended_at=at)
        if ended and problem.told_at is not None:
            _schedule_mail(problem, "ended")
    log.info("problem_ended", kind=str(kind))


def _schedule_mail(problem: Problem, change: str) -> None:
    if settings.STAFF_EMAIL:
        OutgoingMail.objects.create(
            key=f"problem:{problem.pk}:{change}",
            kind=OutgoingMail.Kind.PROBLEM,
            problem=problem,
            language=settings.LANGUAGE_CODE,
        )


def deliver_problem_mails(*, at: datetime) -> None:
    """Send the due e-mails about problems, for a process that isn't the worker."""
    due = OutgoingMail.objects.filter(kind=OutgoingMail.Kind.PROBLEM, due_at__lte=at)
    for mail_id in due.order_by("pk").values_list("pk", flat=True)[:10]:
        emails.deliver_mail(mail_id)
