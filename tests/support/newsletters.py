"""Newsletters of the tests, and sign-ups as readers send them."""

from typing import Any

from django.core import mail as mailbox
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.utils import timezone

from campaigns import jobs
from campaigns.emails import links
from campaigns.models import Newsletter, Subscription

PAGE = "/newsletters/"
ADA = "ada@example.org"


def make_newsletter(slug: str = "morning", **values: Any) -> Newsletter:
    given = {
        "name": slug.capitalize(),
        "description": "What happened, before you leave home.",
        "frequency": Newsletter.Frequency.WEEKDAYS,
    }
    return Newsletter.objects.create(slug=slug, **given | values)


def make_subscription(
    newsletter: Newsletter, email: str = ADA, *, status: str = "confirmed", **values: Any
) -> Subscription:
    now = timezone.now()
    times = {
        "pending": {},
        "confirmed": {"confirmed_at": now, "proof": "link"},
        "unsubscribed": {"confirmed_at": now, "ended_at": now, "cause": "reader"},
    }[status]
    given = {"consent_wording": "By signing up", "form_url": "https://testserver/newsletters/"}
    return Subscription.objects.create(
        newsletter=newsletter, email=email, status=status, **times | given | values
    )


def sign_up(client: Client, *newsletters: str, email: str = ADA, **fields: str) -> Any:
    return client.post(PAGE, {"newsletters": newsletters, "email": email, **fields})


def send_due_mails() -> list[EmailMultiAlternatives]:
    """Send what is due, and return it."""
    before = len(mailbox.outbox)
    jobs.run_due_jobs("mails")
    sent = mailbox.outbox[before:]
    assert all(isinstance(each, EmailMultiAlternatives) for each in sent)
    return sent  # type: ignore[return-value]  # checked above


def path_of(subscription: Subscription, page: str) -> str:
    """Return the path of one of the pages behind signed links."""
    return f"/newsletters/{page}/{links.make_newsletter_token(subscription)}/"


def statuses() -> dict[str, str]:
    """Return the status of each subscription by its newsletter."""
    return dict(Subscription.objects.values_list("newsletter__slug", "status"))
