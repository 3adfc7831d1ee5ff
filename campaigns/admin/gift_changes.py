"""What staff do to a gift: each change has its own form, which says what it does and asks why."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import gifts, settlement, tasks
from campaigns.admin import gift_texts
from campaigns.admin.forms import Done, Link, NotDone, Panel, answer_form, page_of
from campaigns.admin.gift_forms import DateForm, GiftForm, PersonForm, RecipientForm
from campaigns.admin.site import ViewOnlyAdmin
from campaigns.models import Gift
from campaigns.models.moves import ForbiddenMove

Wanted = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """`refuse` says why the gift as it stands cannot be changed so; nothing if it can."""

    name: str
    label: Promise | str
    refuse: Callable[[Gift], str]
    explain: Callable[[Gift], str]
    do: Callable[[Gift, Wanted, User], None]
    done: Promise | str
    form: type[GiftForm] = GiftForm
    is_grave: bool = False


def _unless_unclaimed(gift: Gift) -> str:
    return "" if gift.is_claimable else gettext("This can be done while nobody has claimed it.")


def _unless_undelivered(gift: Gift) -> str:
    if gift.status == Gift.Status.PAID:
        return ""
    return gettext("Its date can be changed until it is delivered.")


def _if_revoked(gift: Gift) -> str:
    return gettext("It is revoked already.") if gift.status == Gift.Status.REVOKED else ""


def _unless_ended(gift: Gift) -> str:
    if gift.status not in {Gift.Status.EXPIRED, Gift.Status.REVOKED}:
        return gettext("Only what expired or was revoked is brought back.")
    if gift.membership is None and (fell := gift_texts.describe_money(gift)):
        return gettext("A gift that nobody claimed is not brought back without its money.") + (
            f" {fell}"
        )
    return ""


def _unless_claimed(gift: Gift) -> str:
    if gift.status == Gift.Status.CLAIMED:
        return ""
    return gettext("Only what somebody has claimed is given to another person.")


def _unless_undecided(gift: Gift) -> str:
    if gift.needs_decision:
        return ""
    return gettext("It waits for no decision: its payment stands, or the decision was made.")


CHANGES = {
    change.name: change
    for change in (
        Change(
            name="keep",
            label=_("Keep"),
            refuse=_unless_undecided,
            explain=gift_texts.explain_pardon,
            do=lambda gift, wanted, user: gifts.pardon_gift(gift, by=user, why=wanted["why"]),
            done=_("The gift is kept, though its payment no longer stands."),
        ),
        Change(
            name="send",
            label=_("Send again"),
            refuse=_unless_unclaimed,
            explain=gift_texts.explain_resending,
            do=lambda gift, wanted, user: gifts.resend_gift(gift, by=user, why=wanted["why"]),
            done=_("The gift is on its way again."),
        ),
        Change(
            name="new-code",
            label=_("Send with a new code"),
            refuse=_unless_unclaimed,
            explain=gift_texts.explain_new_code,
            do=lambda gift, wanted, user: gifts.resend_gift(
                gift, with_new_code=True, by=user, why=wanted["why"]
            ),
            done=_("The old code is void; the gift is on its way with a new one."),
        ),
        Change(
            name="date",
            label=_("Change the date"),
            refuse=_unless_undelivered,
            explain=gift_texts.explain_date,
            do=lambda gift, wanted, user: gifts.change_delivery(
                gift,
                deliver_at=wanted["deliver_at"],
                zone=wanted["zone"],
                by=user,
                why=wanted["why"],
            ),
            done=_("The gift is delivered on another day."),
            form=DateForm,
        ),
        Change(
            name="recipient",
            label=_("Change the recipient"),
            refuse=_unless_unclaimed,
            explain=gift_texts.explain_recipient,
            do=lambda gift, wanted, user: gifts.change_recipient(
                gift, name=wanted["name"], email=wanted["email"], by=user, why=wanted["why"]
            ),
            done=_("The gift has another recipient."),
            form=RecipientForm,
        ),
        Change(
            name="reassign",
            label=_("Give to another person"),
            refuse=_unless_claimed,
            explain=gift_texts.explain_reassigning,
            do=lambda gift, wanted, user: settlement.reassign_gift(
                gift, email=wanted["email"], name=wanted["name"], by=user, why=wanted["why"]
            ),
            done=_("The gift belongs to another person now."),
            form=PersonForm,
        ),
        Change(
            name="revive",
            label=_("Bring back"),
            refuse=_unless_ended,
            explain=gift_texts.explain_restoring,
            do=lambda gift, wanted, user: settlement.restore_gift(gift, by=user, why=wanted["why"]),
            done=_("The gift is back."),
        ),
        Change(
            name="revoke",
            label=_("Revoke"),
            refuse=_if_revoked,
            explain=gift_texts.explain_revoking,
            do=lambda gift, wanted, user: settlement.revoke_gift(gift, by=user, why=wanted["why"]),
            done=_("The gift is revoked."),
            is_grave=True,
        ),
    )
}


class GiftChangePages(ViewOnlyAdmin):
    """An address more below each gift's own for every change."""

    change_form_template = "campaigns/staff/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        change = path(
            "<uuid:gift_id>/change/<slug:name>/",
            self.admin_site.admin_view(self.change_gift),
            name="campaigns_gift_do",
        )
        return [change, *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        gift = self.get_object(request, object_id) if object_id else None
        panel = {"panel": self._panel(request, gift)} if gift is not None else {}
        return super().changeform_view(request, object_id, form_url, panel | (extra_context or {}))

    def _panel(self, request: HttpRequest, gift: Gift) -> Panel:
        choice = gift_texts.describe_choice(gift) if gift.needs_decision else ""
        told = filter(None, [choice, gift_texts.describe_bounce(gift)])
        possible = [change for change in CHANGES.values() if not change.refuse(gift)]
        return Panel(
            state=gift_texts.describe_state(gift),
            notices=[(words, None) for words in told],
            links=[
                Link(
                    str(change.label),
                    reverse("admin:campaigns_gift_do", args=[gift.pk, change.name]),
                    change.is_grave,
                )
                for change in (possible if self.has_work_permission(request) else [])
            ],
        )

    def change_gift(self, request: HttpRequest, gift_id: UUID, name: str) -> HttpResponse:
        gift: Gift | None = self.get_object(request, str(gift_id))
        if gift is None or name not in CHANGES:
            raise Http404
        if not self.has_work_permission(request):
            raise PermissionDenied
        return self._answer(request, gift, CHANGES[name])

    def _answer(self, request: HttpRequest, gift: Gift, change: Change) -> HttpResponse:
        if refusal := change.refuse(gift):
            return self._tell_refusal(request, gift, refusal)
        form = change.form(request.POST or None, initial={"seen": _newest(gift)}, gift=gift)
        try:
            return answer_form(
                self,
                request,
                gift,
                form,
                do=lambda wanted, user: _do(change, gift, wanted, user),
                title=str(change.label),
                explanation=change.explain(gift),
                newest=lambda: _newest(gift),
            )
        except ForbiddenMove as error:  # a colleague, or the claimed_by, was quicker
            now = Gift.objects.get(pk=gift.pk)
            return self._tell_refusal(request, now, change.refuse(now) or str(error))

    def _tell_refusal(self, request: HttpRequest, gift: Gift, refusal: str) -> HttpResponse:
        words = gettext("Nothing was changed. %(reason)s %(state)s") % {
            "reason": refusal,
            "state": gift_texts.describe_state(gift),
        }
        self.message_user(request, words, messages.WARNING)
        return HttpResponseRedirect(page_of(gift))


def _newest(gift: Gift) -> int:
    return gift.changes.aggregate(newest=Max("pk"))["newest"] or 0


def _do(change: Change, gift: Gift, wanted: Wanted, user: User) -> Done:
    last = gift.changes.order_by("-pk").first()
    if last is not None and last.pk != wanted["seen"]:
        words = gettext(
            "Meanwhile the gift was changed: %(what)s, by %(who)s. Nothing more was done. If you "
            "still want this as well, send it once more."
        )
        who = last.staff_name or gettext("the buyer")
        raise NotDone(words % {"what": last.get_what_display(), "who": who})
    change.do(gift, wanted, user)
    tasks.run_soon(tasks.do_what_followed)
    return Done(str(change.done), entry=f"{change.label}: {wanted['why']}")
