"""Requests: a reader sends a form, and gets an e-mail with the link that confirms it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from campaigns import attempts
from campaigns.models import Campaign, Newsletter, OutgoingMail, Subscription
from campaigns.newsletters.changes import end_subscription, request_subscription
from campaigns.origins import Origin

MOST_MAILS = 2  # to one address
# To all of "ada@example.org", "ada+1@example.org", "ada+2@example.org": usually one mailbox.
MOST_TO_MAILBOX = 6
_LIMIT_PERIOD = timedelta(days=1)
# Requests that nobody confirmed are deleted: the address may be a stranger's.
_KEPT = timedelta(days=30)


@dataclass(frozen=True)
class SignUp:
    """A valid form. `wordings` are what the reader agreed to, by the newsletter's short name."""

    email: str
    newsletters: Sequence[Newsletter]
    language: str
    wordings: dict[str, str]
    form_url: str = ""
    campaign: Campaign | None = None
    origin: Origin = field(default_factory=Origin)


def request_newsletters(sign_up: SignUp, *, at: datetime) -> bool:
    """Save the requests and schedule the e-mail; return whether an e-mail was scheduled.

    The steps are the same for known and unknown addresses: the e-mail alone says who is
    subscribed already. One address gets at most two of these e-mails within a day, and one mailbox
    a few more; the links in them confirm whatever the address has asked for by then.
    """
    with transaction.atomic():
        # The row of this count is locked until the commit, so that simultaneous requests for one
        # address can't send more e-mails than one after another.
        attempts.count_attempt(f"newsletters:{sign_up.email}", seconds=60)
        requested = [
            request_subscription(
                newsletter,
                sign_up.email,
                at=at,
                language=sign_up.language,
                campaign=sign_up.campaign,
                consent_wording=sign_up.wordings.get(newsletter.slug, ""),
                form_url=sign_up.form_url,
                **asdict(sign_up.origin),
            )
            for newsletter in sign_up.newsletters
        ]
        recent = OutgoingMail.objects.filter(
            kind=OutgoingMail.Kind.NEWSLETTER,
            subscription__email=sign_up.email,
            created_at__gt=at - _LIMIT_PERIOD,
        )
        if not requested or recent.count() >= MOST_MAILS or _is_mailbox_full(sign_up.email):
            return False
        first = requested[0]
        OutgoingMail.objects.create(
            key=f"newsletter:{first.pk}:{at.timestamp():.6f}",
            kind=OutgoingMail.Kind.NEWSLETTER,
            subscription=first,
            language=sign_up.language,
            created_at=at,
            due_at=at,
        )
    return True


def _is_mailbox_full(address: str) -> bool:
    """Count an e-mail to the address's mailbox; return whether it got enough for a day."""
    name, _at, domain = address.rpartition("@")
    mailbox = f"newsletters to:{name.partition('+')[0]}@{domain}"
    number = attempts.count_attempt(mailbox, seconds=int(_LIMIT_PERIOD.total_seconds()))
    return number > MOST_TO_MAILBOX


def select_old_requests(*, at: datetime) -> QuerySet[Subscription]:
    """Return requests that nobody confirmed within a month; their e-mails go with them.

    Those of addresses that unsubscribed earlier stay, because they say so.
    """
    return Subscription.objects.pending().filter(requested_at__lt=at - _KEPT, ended_at=None)


def move_subscriptions(before: str, after: str, *, at: datetime) -> None:
    """Move an address's subscriptions to the new address of the same person.

    What the new address gets or refused already stays as it is. That of the old one then ends, and
    an event says so to the systems that still send to it.
    """
    own = Subscription.objects.of(before)
    known = Subscription.objects.of(after)
    unanswered = known.pending().filter(ended_at=None)
    unanswered.filter(newsletter__in=own.confirmed().values("newsletter")).delete()
    own.exclude(newsletter__in=known.values("newsletter")).update(email=after)
    for each in own:
        end_subscription(each, cause=Subscription.Cause.READER, at=at)
    own.delete()
