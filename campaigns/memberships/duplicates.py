"""Duplicate subscriptions: members who pay for two by accident."""

from django.db.models import Exists, OuterRef, QuerySet

from campaigns.models import Membership

# Stripe may still collect an open invoice of a lapsed subscription.
_CHARGED = (Membership.Status.ACTIVE, Membership.Status.PAST_DUE, Membership.Status.LAPSED)


def with_duplicate_subscriptions(memberships: QuerySet[Membership]) -> QuerySet[Membership]:
    """Return charged subscriptions whose member has another charged one."""
    another = _charged(Membership.objects.filter(member=OuterRef("member")))
    return _charged(memberships).filter(Exists(another.exclude(pk=OuterRef("pk"))))


def _charged(memberships: QuerySet[Membership]) -> QuerySet[Membership]:
    return memberships.filter(
        source=Membership.Source.SUBSCRIPTION, status__in=_CHARGED, is_cancelling=False
    )
