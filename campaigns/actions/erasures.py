"""Request the erasure of a person's data."""

from django.contrib.auth.models import User

from campaigns import erasures
from campaigns.actions.people import MemberGone
from campaigns.models import Erasure, Member


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
