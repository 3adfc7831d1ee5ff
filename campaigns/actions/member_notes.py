"""Notes by staff about a person. The history says that one was added or deleted, not its text."""

from django.contrib.auth.models import User
from django.db import transaction

from campaigns.actions.people import lock_member
from campaigns.models import Member, MemberNote


class AlreadyNoted(Exception):
    """The same user has just written the same note: a second click."""


@transaction.atomic
def add_member_note(member: Member, *, text: str, by: User) -> MemberNote:
    """Add a note about a person. Raises MemberGone and AlreadyNoted."""
    locked = lock_member(member)
    newest = locked.notes.order_by("-pk").first()
    if newest is not None and (newest.text, newest.written_by) == (text.strip(), by):
        raise AlreadyNoted
    return MemberNote.objects.create(member=locked, text=text.strip(), written_by=by)


def delete_member_note(member: Member, note_id: int) -> bool:
    """Delete a note about the person; return whether there was one."""
    deleted, _rows = MemberNote.objects.filter(member=member, pk=note_id).delete()
    return bool(deleted)
