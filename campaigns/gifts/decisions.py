"""Inner steps of what staff decide about a gift: revoke, restore, pardon, reassign.

Only `campaigns.actions` calls them, since most of them change who counts: each returns the members
to recount. Each takes the gift's lock, checks it again and raises ForbiddenMove if it is no longer
possible.
"""

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns import memberships
from campaigns.gifts.announcements import announce_gift
from campaigns.gifts.changes import changing_gift, refuse_unless
from campaigns.gifts.claims import grant_gift
from campaigns.gifts.sales import expiry_of, reopen_gift, reversed_at_of
from campaigns.models import Gift, GiftChange, Member

What = GiftChange.What


def apply_revocation(gift: Gift, *, by: User, why: str) -> list[Member]:
    """Revoke a gift, claimed or not. The payment is not refunded."""
    now = timezone.now()
    with changing_gift(gift, What.REVOKED, by=by, why=why) as locked:
        refuse_unless(locked.status != Gift.Status.REVOKED, _("The gift is already revoked."))
        if locked.status == Gift.Status.CLAIMED and locked.membership is not None:
            memberships.revoke_access(locked.membership, at=now)
        locked.move_to(Gift.Status.REVOKED)
        locked.revoked_at, locked.revoked_for = now, Gift.Cause.STAFF
        return [locked.claimed_by] if locked.claimed_by else []


def apply_restoration(gift: Gift, *, by: User, why: str) -> list[Member]:
    """Restore an expired or revoked gift, with the full time to claim it.

    An unclaimed gift is restored only while its payment is valid. A claimed one is pardoned if
    its payment was reversed.
    """
    now = timezone.now()
    with changing_gift(gift, What.RESTORED, by=by, why=why) as locked:
        restorable = {Gift.Status.EXPIRED, Gift.Status.REVOKED}
        refuse_unless(
            locked.status in restorable, _("Only an expired or revoked gift can be restored.")
        )
        if locked.membership is not None and locked.claimed_by is not None:
            memberships.restore_access(locked.membership, at=now)
            locked.move_to(Gift.Status.CLAIMED)
            locked.revoked_at, locked.revoked_for = None, ""
            locked.reversed_at = reversed_at_of(locked)
            locked.is_pardoned = locked.reversed_at is not None
            return [locked.claimed_by]
        refuse_unless(
            reversed_at_of(locked) is None,
            _("An unclaimed gift can’t be restored after its payment was refunded or disputed."),
        )
        locked.expires_at = expiry_of(locked.checkout, delivered_at=now)
        locked.stepped_until = now
        if locked.status == Gift.Status.REVOKED:
            reopen_gift(locked)
        else:
            locked.move_to(Gift.Status.DELIVERED if locked.delivered_at else Gift.Status.PAID)
        return []


def apply_pardon(gift: Gift, *, by: User, why: str) -> None:
    """Let the member keep a claimed gift although its payment was reversed."""
    with changing_gift(gift, What.KEPT, by=by, why=why) as locked:
        refuse_unless(locked.needs_decision, _("The gift doesn’t need a decision."))
        locked.is_pardoned = True


def apply_reassignment(gift: Gift, *, email: str, name: str, by: User, why: str) -> list[Member]:
    """Give a claimed gift to another person, for its full number of months."""
    now = timezone.now()
    with changing_gift(gift, What.REASSIGNED, by=by, why=why) as locked:
        refuse_unless(
            locked.status == Gift.Status.CLAIMED, _("Only a claimed gift can be reassigned.")
        )
        before, old = locked.claimed_by, locked.membership
        assert before is not None, "a claimed gift has a claimed_by"
        assert old is not None, "a claimed gift has a membership"
        after = Member.objects.get_or_create_by_email(email, name=name, language=before.language)
        refuse_unless(after.pk != before.pk, _("The gift already belongs to this person."))
        # Both people are locked in one order, so that two exchanges at once don't deadlock.
        people = Member.objects.select_for_update(no_key=True).order_by("pk")
        locked_people = people.filter(pk__in=[before.pk, after.pk])
        refuse_unless(
            len(locked_people) == 2,
            _("One of the two people was merged with another person in the meantime."),
        )
        memberships.revoke_access(old, at=now)
        grant_gift(locked, after, memberships.lock_current_memberships(after, at=now), at=now)
        locked.claimed_at, locked.stepped_until = now, now
        announce_gift("gift.claimed", locked, after)
        assert locked.membership is not None
        memberships.welcome(locked.membership, language=after.language)
        return [before, after]
