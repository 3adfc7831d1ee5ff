"""The end of a membership: staff end a subscription at Stripe, or a granted membership."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import actions, stripe_api, tasks
from campaigns.admin.forms import EndForm
from campaigns.admin.pages import ActionPages, Done, NotDone, Page
from campaigns.errors import describe_failure
from campaigns.models import Membership


@dataclass(frozen=True)
class Ending:
    name: str
    label: Promise | str
    explanation: Promise | str
    end: actions.End
    done: Promise | str
    is_grave: bool = False


ENDINGS = (
    Ending(
        name="cancel",
        label=_("Cancel subscription"),
        explanation=_(
            "The membership continues until the end of the paid period and isn’t charged again. "
            "Until then, the member can resume the subscription on their account page. Nothing is "
            "refunded."
        ),
        end=actions.End.AT_PERIOD_END,
        done=_("Subscription cancelled. The membership ends with the paid period."),
    ),
    Ending(
        name="end",
        label=_("End membership now"),
        explanation=_(
            "The membership ends at once, and the member loses access. To come back, they have to "
            "join again. Gifts that were added to this membership start now. Nothing is refunded: "
            "you can refund a payment on its own page. The campaign’s count doesn’t change."
        ),
        end=actions.End.NOW,
        done=_("Membership ended."),
        is_grave=True,
    ),
)


def _show_ending(
    pages: ActionPages, request: HttpRequest, membership: Membership, ending: Ending
) -> HttpResponse:
    return pages.answer_form(
        request,
        membership,
        EndForm(request.POST or None),
        do=lambda wanted, user: _end(membership, ending, wanted["why"], wanted["message"]),
        title=str(ending.label),
        explanation=str(ending.explanation),
    )


def _refuse(membership: Membership, ending: Ending) -> str:
    """Return why the membership cannot be ended this way, or an empty string if it can."""
    try:
        actions.check_end(membership, ending.end)
    except actions.EndRefused as error:
        return str(error)
    return ""


def _end(membership: Membership, ending: Ending, why: str, message: str | None) -> Done:
    """End the membership; a second click changes nothing, and says so."""
    try:
        is_settled = actions.end_membership(membership, ending.end, message=message)
    except actions.EndRefused as error:
        raise NotDone(str(error)) from error
    except stripe_api.StripeRefused as error:
        words = gettext("Stripe refused, and nothing was changed. Reason: %(reason)s")
        raise NotDone(words % {"reason": describe_failure(error)}) from error
    except stripe_api.StripeError as error:
        words = gettext("Stripe doesn’t answer. Check this page in a minute, and try again.")
        raise NotDone(words) from error
    entry = gettext("%(what)s: %(why)s") % {"what": ending.label, "why": why}
    if not is_settled:
        late = gettext("Done at Stripe. This page will show it within minutes.")
        return Done(late, messages.WARNING, entry)
    tasks.hurry(*tasks.EFFECTS)
    return Done(str(ending.done), entry=entry)


def _page_of(ending: Ending) -> Page:
    return Page(
        name=ending.name,
        path=f"{ending.name}/",
        view=lambda pages, request, membership: _show_ending(pages, request, membership, ending),
        permissions=("campaigns.change_membership",),
        label=ending.label,
        refuse=lambda membership: _refuse(membership, ending),
        is_grave=ending.is_grave,
        refuses_posts=False,
    )


MEMBERSHIP_PAGES = tuple(_page_of(ending) for ending in ENDINGS)
