"""How staff end a subscription: with what is paid, or now. Stripe does it, and our row follows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import members, settlement, stripe_api, tasks
from campaigns.admin.forms import Done, Link, NotDone, Panel, WhyForm, answer_form, page_of
from campaigns.admin.site import ViewOnlyAdmin
from campaigns.models import Membership

PERMISSION = "campaigns.change_membership"


@dataclass(frozen=True)
class Ending:
    name: str
    label: Promise | str
    explanation: Promise | str
    end: Callable[[Membership], None]
    done: Promise | str
    is_grave: bool = False


ENDINGS = (
    Ending(
        name="cancel",
        label=_("Cancel at the end of the paid period"),
        explanation=_(
            "It runs on to the end of what is paid and is not charged again. Until then its owner "
            "can take that back on their own page. Nothing is paid back."
        ),
        end=members.cancel_subscription,
        done=_("It ends with the period that is paid."),
    ),
    Ending(
        name="end",
        label=_("End now"),
        explanation=_(
            "It ends at once and for good, and gives no access any more: its owner would have to "
            "join anew. Gifts that were added to it begin at once. Nothing is paid back by this: "
            "give a payment back on the payment’s own page. Who counts goes on counting."
        ),
        end=members.end_subscription_now,
        done=_("It has ended."),
        is_grave=True,
    ),
)


class MembershipPages(ViewOnlyAdmin):
    """Two addresses more below each membership's own."""

    change_form_template = "campaigns/staff/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        here = self.admin_site.admin_view
        ends = [
            path(
                f"<int:membership_id>/{ending.name}/",
                here(self.end),
                {"name": ending.name},
                name=f"campaigns_membership_{ending.name}",
            )
            for ending in ENDINGS
        ]
        return [*ends, *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        membership = self.get_object(request, object_id) if object_id else None
        panel = {"panel": _panel(request, membership)} if membership is not None else {}
        return super().changeform_view(request, object_id, form_url, panel | (extra_context or {}))

    def end(self, request: HttpRequest, membership_id: int, name: str) -> HttpResponse:
        membership: Membership | None = self.get_object(request, str(membership_id))
        if membership is None:
            raise Http404
        may = request.user.has_perm(PERMISSION)
        if not may or not self.has_view_permission(request, membership):
            raise PermissionDenied
        ending = next(each for each in ENDINGS if each.name == name)
        if request.method != "POST" and (refusal := _refuse(membership, ending)):
            self.message_user(request, refusal, messages.WARNING)
            return HttpResponseRedirect(page_of(membership))
        return answer_form(
            self,
            request,
            membership,
            WhyForm(request.POST or None),
            do=lambda wanted, user: _end(membership, ending, wanted["why"]),
            title=str(ending.label),
            explanation=str(ending.explanation),
        )


def _panel(request: HttpRequest, membership: Membership) -> Panel:
    may = request.user.has_perm(PERMISSION)
    links = [
        Link(
            str(ending.label),
            reverse(f"admin:campaigns_membership_{ending.name}", args=[membership.pk]),
            ending.is_grave,
        )
        for ending in ENDINGS
        if may and not _refuse(membership, ending)
    ]
    state = f"{membership.get_source_display()}: {membership.get_status_display()}"
    return Panel(state=state, notices=[], links=links)


def _refuse(membership: Membership, ending: Ending) -> str:
    """Why it cannot be ended so; nothing if it can."""
    if not membership.subscription_id or membership.checkout_id is None:
        return gettext("Only a subscription that was bought here is ended here.")
    if membership.status == Membership.Status.ENDED:
        return gettext("It has ended already.")
    if membership.is_cancelling and ending.name == "cancel":
        return gettext("It is cancelled already, and ends with what is paid.")
    return ""


def _end(membership: Membership, ending: Ending, why: str) -> Done:
    """Twice is once: Stripe has one subscription, and it ends once."""
    membership.refresh_from_db()
    if refusal := _refuse(membership, ending):
        raise NotDone(refusal)
    try:
        ending.end(membership)
    except stripe_api.StripeRefused as error:
        words = gettext("Stripe refused, and nothing was changed. Its reason: %(reason)s")
        raise NotDone(words % {"reason": error}) from error
    except stripe_api.StripeError as error:
        words = gettext("Stripe does not answer. Please look again in a minute, and try again.")
        raise NotDone(words) from error
    entry = gettext("%(what)s: %(why)s") % {"what": ending.label, "why": why}
    assert membership.checkout_id is not None
    try:
        settlement.settle_checkout(membership.checkout_id)
    except (stripe_api.StripeError, settlement.SettlementBusy):
        late = gettext("Stripe has done it. Our own row follows within minutes.")
        return Done(late, messages.WARNING, entry)
    tasks.run_soon(tasks.do_what_followed)
    return Done(str(ending.done), entry=entry)
