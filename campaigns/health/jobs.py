"""What each job has to do, from the columns that say when rows are due."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Model

from campaigns.models import Campaign, Checkout, OutgoingMail, RefundOrder, StripeEvent


@dataclass(frozen=True)
class JobState:
    """How many rows of a job are due, and since when the oldest is."""

    name: str
    due: int
    oldest_due_at: datetime | None


_DUE_COLUMNS: tuple[tuple[str, type[Model], str], ...] = (
    ("events", StripeEvent, "next_attempt_at"),
    ("checkouts", Checkout, "settle_at"),
    ("refunds", RefundOrder, "next_attempt_at"),
    ("mails", OutgoingMail, "next_attempt_at"),
    ("banners", Campaign, "publish_at"),
)


def list_jobs(*, at: datetime) -> list[JobState]:
    """Return the state of each job."""
    states = []
    for name, model, column in _DUE_COLUMNS:
        due = model._default_manager.filter(**{f"{column}__lte": at}).aggregate(
            due=Count("pk"), oldest=Min(column)
        )
        states.append(JobState(name, due["due"], due["oldest"]))
    return states
