"""The pages behind signed links: confirm, choose newsletters, unsubscribe."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from campaigns.emails import links
from campaigns.models import Campaign, Newsletter, Subscription
from campaigns.newsletters.changes import (
    confirm_subscription,
    end_subscription,
    request_subscription,
)


class LinkClosed(Exception):
    """The link has expired, was changed, or its address was deleted."""


@dataclass(frozen=True)
class Choice:
    """A newsletter that a person gets or could get."""

    newsletter: Newsletter
    subscription: Subscription | None

    @property
    def is_chosen(self) -> bool:
        return self.subscription is not None and (
            self.subscription.status == Subscription.Status.CONFIRMED
        )


def find_subscription(
    token: str, *, lasts: timedelta | None = None, from_any_mailbox: bool = False
) -> Subscription:
    """Return the subscription that a link names. Raises LinkClosed.

    A link that was sent to a former address shows and changes nothing of the present one, since
    another person may read that mailbox now. With `from_any_mailbox` it still unsubscribes.
    """
    try:
        subscription_id, mailbox = links.read_newsletter_token(token, lasts=lasts)
    except links.BadLink as error:
        raise LinkClosed from error
    found = Subscription.objects.select_related("newsletter", "campaign").filter(pk=subscription_id)
    subscription = found.first()
    if subscription is None:
        raise LinkClosed
    if not from_any_mailbox and not links.is_sent_to(subscription.email, mailbox):
        raise LinkClosed
    return subscription


def confirm_pending(
    address: str, *, newsletters: Collection[str], at: datetime
) -> list[Subscription]:
    """Confirm what an address asked for, of these short names; return what changed."""
    pending = Subscription.objects.of(address).pending()
    return [
        each
        for each in pending.filter(newsletter__slug__in=newsletters)
        if confirm_subscription(each, proof=Subscription.Proof.LINK, at=at)
    ]


def list_choices(address: str) -> list[Choice]:
    """Return the newsletters that are offered, and others that the address gets."""
    own = {each.newsletter_id: each for each in Subscription.objects.of(address)}
    offered = list(Newsletter.objects.offered())
    kept = [
        each.newsletter
        for each in own.values()
        if each.status == Subscription.Status.CONFIRMED and not each.newsletter.is_offered
    ]
    return [Choice(newsletter, own.get(newsletter.pk)) for newsletter in [*offered, *kept]]


def set_choices(
    address: str,
    *,
    chosen: Iterable[str],
    wordings: dict[str, str],
    proof: Subscription.Proof,
    language: str,
    form_url: str,
    at: datetime,
    campaign: Campaign | None = None,
) -> None:
    """Subscribe a proven address to these newsletters, by short name, and end all others."""
    wanted = set(chosen)
    with transaction.atomic():
        for choice in list_choices(address):
            slug = choice.newsletter.slug
            if slug in wanted and not choice.is_chosen:
                requested = request_subscription(
                    choice.newsletter,
                    address,
                    at=at,
                    language=language,
                    campaign=campaign,
                    consent_wording=wordings.get(slug, ""),
                    form_url=form_url,
                )
                confirm_subscription(requested, proof=proof, at=at)
            elif slug not in wanted and choice.subscription is not None:
                end_subscription(choice.subscription, cause=Subscription.Cause.READER, at=at)


def unsubscribe(subscription: Subscription, *, at: datetime) -> None:
    """End the subscription of a link; one that isn't confirmed ends with all its requests."""
    ending = [subscription]
    if subscription.status == Subscription.Status.PENDING:
        ending = list(Subscription.objects.of(subscription.email).pending())
    for each in ending:
        end_subscription(each, cause=Subscription.Cause.READER, at=at)
