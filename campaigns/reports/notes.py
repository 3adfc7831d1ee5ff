"""Notes on a campaign's curve: "newsletter sent", "TV spot"."""

from datetime import datetime

from django.contrib.auth.models import User

from campaigns.models import Campaign, Note


def add_note(campaign: Campaign, *, text: str, at: datetime, by: User) -> Note:
    return Note.objects.create(campaign=campaign, text=text, at=at, written_by=by)


def delete_note(campaign: Campaign, note_id: int) -> Note | None:
    """Delete a note of the campaign and return it; None if it is gone already."""
    note = campaign.notes.filter(pk=note_id).first()
    if note is not None:
        note.delete()
    return note
