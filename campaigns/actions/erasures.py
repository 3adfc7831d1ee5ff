"""Request the erasure of a person's data."""

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from campaigns import deliveries, erasures, newsletters
from campaigns.actions.people import MemberGone
from campaigns.models import Erasure, Member
from campaigns.people import canonical_email, spellings_of


def request_erasure(
    member: Member, *, by: User | None = None, why: str = "", language: str = ""
) -> Erasure:
    """Schedule the erasure of a person's data; a second request returns the first one.

    Staff give a reason. The counts don't change. Raises MemberGone if the person was merged with
    another one.
    """
    try:
        return erasures.request_erasure(member, by=by, why=why, language=language)
    except Member.DoesNotExist as error:
        raise MemberGone from error


class IsMember(Exception):
    """The address is a member's, whose data is erased as a whole."""

    def __init__(self, member: Member) -> None:
        super().__init__(f"member {member.pk}")
        self.member = member


def erase_subscriber(address: str) -> int:
    """Erase a newsletter subscriber who is no member; return the number of subscriptions.

    Notify other systems, and delete the log of their earlier events. Raises IsMember.
    """
    address = canonical_email(address)
    owned = Q(email=address) | Q(former_addresses__email=address)
    with transaction.atomic():
        if (member := Member.objects.filter(owned).first()) is not None:
            raise IsMember(member)
        deliveries.forget_subscriber(address)
        return newsletters.erase_subscriptions(spellings_of(address), at=timezone.now())
