"""The changes that staff make to a gift: each has a form that says what it does and asks why."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import actions, gifts, tasks
from campaigns.admin import gift_texts
from campaigns.admin.gift_forms import DateForm, GiftForm, PersonForm, RecipientForm
from campaigns.admin.pages import ActionPages, Done, NotDone, Page
from campaigns.models import Gift
from campaigns.models.moves import ForbiddenMove
from campaigns.reports.titles import isolate

Wanted = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """`refuse` returns why the gift's present state forbids the change, or an empty string."""

    name: str
    label: Promise | str
    refuse: Callable[[Gift], str]
    explain: Callable[[Gift], str]
    do: Callable[[Gift, Wanted, User], None]
    done: Promise | str
    form: type[GiftForm] = GiftForm
    is_grave: bool = False


def _unless_unclaimed(gift: Gift) -> str:
    return "" if gift.is_claimable else gettext("Only an unclaimed gift can be changed this way.")


def _unless_undelivered(gift: Gift) -> str:
    if gift.status == Gift.Status.PAID:
        return ""
    return gettext("The date can only be changed before the gift is delivered.")


def _if_revoked(gift: Gift) -> str:
    if gift.status != Gift.Status.REVOKED:
        return ""
    return gettext("This gift is already revoked.")


def _unless_ended(gift: Gift) -> str:
    if gift.status not in {Gift.Status.EXPIRED, Gift.Status.REVOKED}:
        return gettext("Only an expired or revoked gift can be restored.")
    if gift.membership is None and (reversal := gift_texts.describe_reversal(gift)):
        reason = gettext("An unclaimed gift can’t be restored once its payment is reversed.")
        return f"{reason} {reversal}"
    return ""


def _unless_claimed(gift: Gift) -> str:
    if gift.status == Gift.Status.CLAIMED:
        return ""
    return gettext("Only a claimed gift can be given to another person.")


def _unless_undecided(gift: Gift) -> str:
    if gift.needs_decision:
        return ""
    return gettext(
        "There is nothing to decide: the payment is valid, or the decision was already made."
    )


CHANGES = (
    Change(
        name="keep",
        label=_("Keep gift"),
        refuse=_unless_undecided,
        explain=gift_texts.explain_pardon,
        do=lambda gift, wanted, user: actions.pardon_gift(gift, by=user, why=wanted["why"]),
        done=_("Gift kept, although its payment was reversed."),
    ),
    Change(
        name="resend",
        label=_("Resend gift"),
        refuse=_unless_unclaimed,
        explain=gift_texts.explain_resending,
        do=lambda gift, wanted, user: gifts.resend_gift(gift, by=user, why=wanted["why"]),
        done=_("Gift resent."),
    ),
    Change(
        name="new-code",
        label=_("Resend with a new claim code"),
        refuse=_unless_unclaimed,
        explain=gift_texts.explain_new_code,
        do=lambda gift, wanted, user: gifts.resend_gift(
            gift, with_new_code=True, by=user, why=wanted["why"]
        ),
        done=_("Gift resent with a new claim code. The old code no longer works."),
    ),
    Change(
        name="date",
        label=_("Change delivery date"),
        refuse=_unless_undelivered,
        explain=gift_texts.explain_date,
        do=lambda gift, wanted, user: gifts.change_delivery(
            gift,
            deliver_at=wanted["deliver_at"],
            zone=wanted["zone"],
            by=user,
            why=wanted["why"],
        ),
        done=_("Delivery date changed."),
        form=DateForm,
    ),
    Change(
        name="recipient",
        label=_("Change recipient"),
        refuse=_unless_unclaimed,
        explain=gift_texts.explain_recipient,
        do=lambda gift, wanted, user: gifts.change_recipient(
            gift, name=wanted["name"], email=wanted["email"], by=user, why=wanted["why"]
        ),
        done=_("Recipient changed."),
        form=RecipientForm,
    ),
    Change(
        name="reassign",
        label=_("Reassign gift"),
        refuse=_unless_claimed,
        explain=gift_texts.explain_reassigning,
        do=lambda gift, wanted, user: actions.reassign_gift(
            gift, email=wanted["email"], name=wanted["name"], by=user, why=wanted["why"]
        ),
        done=_("Gift reassigned."),
        form=PersonForm,
    ),
    Change(
        name="restore",
        label=_("Restore gift"),
        refuse=_unless_ended,
        explain=gift_texts.explain_restoring,
        do=lambda gift, wanted, user: actions.restore_gift(gift, by=user, why=wanted["why"]),
        done=_("Gift restored."),
    ),
    Change(
        name="revoke",
        label=_("Revoke gift"),
        refuse=_if_revoked,
        explain=gift_texts.explain_revoking,
        do=lambda gift, wanted, user: actions.revoke_gift(gift, by=user, why=wanted["why"]),
        done=_("Gift revoked."),
        is_grave=True,
    ),
)


def _page_of(change: Change) -> Page:
    return Page(
        name=change.name,
        path=f"change/{change.name}/",
        view=lambda pages, request, gift: _show_change(pages, request, gift, change),
        permissions=("campaigns.change_gift",),
        label=change.label,
        refuse=lambda gift: _refuse(change, gift),
        is_grave=change.is_grave,
    )


GIFT_PAGES = tuple(_page_of(change) for change in CHANGES)


def _show_change(
    pages: ActionPages, request: HttpRequest, gift: Gift, change: Change
) -> HttpResponse:
    form = change.form(request.POST or None, initial={"seen": _newest(gift)}, gift=gift)
    try:
        return pages.answer_form(
            request,
            gift,
            form,
            do=lambda wanted, user: _do(change, gift, wanted, user),
            title=str(change.label),
            explanation=change.explain(gift),
            newest=lambda: _newest(gift),
        )
    except ForbiddenMove:  # a colleague, or the reader who claimed it, was quicker
        now = Gift.objects.get(pk=gift.pk)
        return pages.lead_back(request, now, _refuse(change, now) or _not_now(now))


def _refuse(change: Change, gift: Gift) -> str:
    reason = change.refuse(gift)
    return _not_now(gift, reason) if reason else ""


def _not_now(gift: Gift, reason: str = "") -> str:
    words = [gettext("Nothing was changed."), reason, gift_texts.describe_state(gift)]
    return " ".join(filter(None, words))


def _newest(gift: Gift) -> int:
    return gift.changes.aggregate(newest=Max("pk"))["newest"] or 0


def _do(change: Change, gift: Gift, wanted: Wanted, user: User) -> Done:
    gift.newest_seen = wanted["seen"]
    try:
        change.do(gift, wanted, user)
    except gifts.ChangedMeanwhile as error:
        last = error.change
        words = gettext(
            "%(who)s has just changed this gift (%(what)s), so nothing else was done. If you still "
            "want to make this change, send the form again."
        )
        who = isolate(last.staff_name) or gettext("The buyer")
        raise NotDone(words % {"what": last.get_what_display(), "who": who}) from error
    tasks.hurry(*tasks.EFFECTS)
    return Done(str(change.done), entry=f"{change.label}: {wanted['why']}")
