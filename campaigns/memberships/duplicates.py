"""Two subscriptions of one person, which nobody wants: by accident they pay for both."""

from django.db.models import Exists, OuterRef, QuerySet

from campaigns.models import Membership

# Of one that lapsed Stripe may still collect what is open.
_CHARGED = (Membership.Status.ACTIVE, Membership.Status.PAST_DUE, Membership.Status.LAPSED)


def with_duplicate_subscriptions(memberships: QuerySet[Membership]) -> QuerySet[Membership]:
    """Those that go on being charged while another one of the same person does so, too."""
    another = _charged(Membership.objects.filter(member=OuterRef("member")))
    return _charged(memberships).filter(Exists(another.exclude(pk=OuterRef("pk"))))


def _charged(memberships: QuerySet[Membership]) -> QuerySet[Membership]:
    return memberships.filter(
        source=Membership.Source.SUBSCRIPTION, status__in=_CHARGED, is_cancelling=False
    )
