"""One change of a gift by its buyer or by staff: locked, saved, and noted with who and why."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.models import User
from django.db import transaction
from django_stubs_ext import StrOrPromise

from campaigns.gifts.timeline import plan_next_step
from campaigns.models import Gift, GiftChange
from campaigns.models.moves import ForbiddenMove


class ChangedMeanwhile(Exception):
    """The gift was changed after the form was opened: by a colleague, or by a second click."""

    def __init__(self, change: GiftChange) -> None:
        super().__init__(str(change.pk))
        self.change = change


@contextmanager
def changing_gift(
    gift: Gift, what: GiftChange.What, *, by: User | None, why: str
) -> Iterator[Gift]:
    """Lock the gift, then save it with its next step and a note of the change.

    Raises ChangedMeanwhile if `gift.newest_seen` isn't the newest change.
    """
    with transaction.atomic():
        locked = (
            Gift.objects.select_for_update(of=("self",), no_key=True)
            .select_related("checkout__campaign", "price__plan", "membership")
            .get(pk=gift.pk)
        )
        last = locked.changes.order_by("-pk").first()
        if gift.newest_seen is not None and last is not None and last.pk != gift.newest_seen:
            raise ChangedMeanwhile(last)
        yield locked
        plan_next_step(locked)
        locked.save()
        GiftChange.objects.create(
            gift=locked,
            what=what,
            made_by=by,
            staff_name=by.get_username() if by else "",
            why=why,
        )


def refuse_unless(condition: bool, reason: StrOrPromise) -> None:
    """Raise ForbiddenMove with this full sentence unless the condition holds."""
    if not condition:
        raise ForbiddenMove(reason)
