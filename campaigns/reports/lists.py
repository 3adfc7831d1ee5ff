"""Members and sign-ups as rows of a file, for other systems and for spreadsheets.

The columns `email`, `name`, `since` and `until` are those that the import of members reads.
"""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from campaigns import memberships
from campaigns.models import Campaign, Checkout, Gift, Member, Membership, Payment, Tally
from campaigns.models.erasure import is_of_erased
from campaigns.money import to_major
from campaigns.spreadsheets import Cell

MEMBER_COLUMNS = (
    *("member", "email", "name", "language", "has_access", "since", "until"),
    *("plan", "source", "status", "counts_in", "newsletter_agreed_at", "newsletter_wording"),
)
SIGN_UP_COLUMNS = (
    *("sign_up", "created_at", "campaign", "placement", "kind", "status", "member", "email"),
    *("name", "language", "plan", "price", "number", "amount", "currency"),
    *("newsletter_agreed_at", "newsletter_wording"),
)
_CHUNK = 500


def members_of(campaign: Campaign, people: QuerySet[Member]) -> QuerySet[Member]:
    """Return those who paid in a campaign, count in it, or claimed a gift that was bought in it."""
    paid = Payment.objects.filter(
        member=OuterRef("pk"), campaign=campaign, status=Payment.Status.SUCCEEDED
    )
    counted = Tally.objects.filter(member=OuterRef("pk"), campaign=campaign)
    claimed = Gift.objects.filter(claimed_by=OuterRef("pk"), checkout__campaign=campaign)
    return people.filter(Q(Exists(paid)) | Q(Exists(counted)) | Q(Exists(claimed)))


def list_members(people: QuerySet[Member], *, at: datetime) -> Iterator[list[Cell]]:
    """Yield the headings and one row for each member who isn't erased."""
    yield list(MEMBER_COLUMNS)
    zone = ZoneInfo(settings.NEWSROOM_TIME_ZONE)
    consents = Checkout.objects.filter(newsletter_agreed_at__isnull=False)
    related = people.filter(erased_at=None).prefetch_related(
        Prefetch("memberships", Membership.objects.select_related("plan").order_by("started_at")),
        Prefetch("tallies", Tally.objects.counting_at(at).select_related("campaign")),
        Prefetch("checkouts", consents.order_by("newsletter_agreed_at"), to_attr="consents"),
    )
    for member in related.order_by("pk").iterator(chunk_size=_CHUNK):
        yield [member.pk, member.email, member.name, member.language, *_describe(member, zone, at)]


def list_sign_ups(checkouts: QuerySet[Checkout]) -> Iterator[list[Cell]]:
    """Yield the headings and one row for each Checkout, whether it was paid or not."""
    yield list(SIGN_UP_COLUMNS)
    zone = ZoneInfo(settings.NEWSROOM_TIME_ZONE)
    related = checkouts.select_related("campaign", "price__plan").order_by("created_at", "pk")
    for checkout in related.iterator(chunk_size=_CHUNK):
        yield [
            str(checkout.pk),
            checkout.created_at.astimezone(zone),
            checkout.campaign.slug if checkout.campaign else "",
            checkout.placement,
            checkout.kind,
            checkout.status,
            checkout.member_id,
            "" if is_of_erased(checkout.email) else checkout.email,
            checkout.name,
            checkout.language,
            checkout.price.plan.slug,
            checkout.price.kind,
            checkout.quantity,
            to_major(checkout.amount_minor, checkout.currency),
            checkout.currency,
            *_describe_consent(checkout, zone),
        ]


def _describe(member: Member, zone: ZoneInfo, at: datetime) -> list[Cell]:
    """Return the columns about access, the newest membership, the counts and the consent."""
    own = list(member.memberships.all())
    newest = own[-1] if own else None
    has_access = memberships.has_access(member, at)
    until = memberships.access_until(member, at) if has_access else None
    consents: list[Checkout] = member.consents  # type: ignore[attr-defined]
    return [
        "yes" if has_access else "no",
        own[0].started_at.astimezone(zone) if own else None,
        until.astimezone(zone) if until else None,
        newest.plan.slug if newest and newest.plan else "",
        newest.source if newest else "",
        newest.status if newest else "",
        ", ".join(sorted({tally.campaign.slug for tally in member.tallies.all()})),
        *_describe_consent(consents[-1] if consents else None, zone),
    ]


def _describe_consent(checkout: Checkout | None, zone: ZoneInfo) -> tuple[Cell, Cell]:
    if checkout is None or checkout.newsletter_agreed_at is None:
        return None, ""
    return checkout.newsletter_agreed_at.astimezone(zone), checkout.newsletter_wording
