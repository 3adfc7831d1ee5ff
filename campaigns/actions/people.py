"""Lock the person that an action is about."""

from campaigns.models import Erasure, Member


class MemberGone(Exception):
    """The person was merged with another one, or their data is being erased."""


def lock_member(member: Member) -> Member:
    """Lock a person's row; call inside a transaction. Raises MemberGone."""
    locked = Member.objects.select_for_update(no_key=True).filter(pk=member.pk).first()
    if locked is None or Erasure.objects.filter(member=locked).exists():
        raise MemberGone
    return locked
