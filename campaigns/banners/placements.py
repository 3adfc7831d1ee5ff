"""The placements of banners, each with its template and its default texts.

The default texts claim only what the campaign's rows show. Staff can write what only they know
about their newsroom, such as its age or how few of its readers pay.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from campaigns.models import Banner, Goal

State = Banner.State


@dataclass(frozen=True)
class DefaultText:
    """A banner's headline and text where staff wrote none, with the placeholders of `Banner`."""

    headline: StrOrPromise
    text: StrOrPromise
    # For campaigns without an earlier number of supporters. None: the text doesn't mention it.
    text_without_supporters: StrOrPromise | None = None


@dataclass(frozen=True)
class BannerPlacement:
    """Everything that belongs to one placement, apart from its label (see `Banner.Placement`)."""

    template: str
    # By goal kind, then by state.
    texts: Mapping[str, Mapping[str, DefaultText]]


# Sentences that fit gift memberships and money alike: the count says which.
_GENERAL_TEXTS: dict[str, DefaultText] = {
    State.BEFORE: DefaultText(
        _("From {starts} we’ll ask for your help."), _("Our readers pay for our journalism.")
    ),
    State.RUNNING: DefaultText(
        _("Help us get there by {ends}."), _("Our readers pay for our journalism.")
    ),
    State.REACHED: DefaultText(
        _("We’ve reached our goal. Thank you."),
        _("Your money now pays for more reporting than we had planned."),
    ),
    State.ENDED: DefaultText(
        _("Thank you to everyone who took part."),
        _("The campaign is over, but you can still join."),
    ),
}

_TOP_TEXTS: dict[str, DefaultText] = {
    State.BEFORE: DefaultText(
        _("Our campaign starts on {starts}."), _("We’ll be looking for {target} new members.")
    ),
    State.RUNNING: DefaultText(
        _("Help us get there by {ends}."), _("Our readers pay for our journalism.")
    ),
    State.REACHED: DefaultText(
        _("We’ve reached our goal. Thank you."),
        _("You can still join: every new member pays for more reporting."),
    ),
    State.ENDED: DefaultText(
        _("Thank you to everyone who joined."),
        _("The campaign is over, but you can still join."),
    ),
}

_INLINE_TEXTS: dict[str, DefaultText] = {
    State.BEFORE: DefaultText(
        _("Soon we’ll ask for your help"),
        _(
            "You can read us without paying. To keep it that way, we’ll be looking for {target} "
            "new members."
        ),
    ),
    State.RUNNING: DefaultText(
        _("Read by many, paid for by a few"),
        _(
            "Our articles are open to everyone because some readers pay for them. We’re looking "
            "for {target} new members by {ends}: {left} to go."
        ),
    ),
    State.REACHED: DefaultText(
        _("We’ve reached our goal of {target} new members"),
        _(
            "Thank you to everyone who joined or gave a membership. You can still join: every new "
            "member pays for more reporting than we had planned."
        ),
    ),
    State.ENDED: DefaultText(
        _("The campaign is over. Thank you"),
        _("Our journalism still depends on its members, today and every day."),
    ),
}

_END_TEXTS: dict[str, DefaultText] = {
    State.BEFORE: DefaultText(
        _("We’ll soon be looking for {target} new members"),
        _("{supporters} supporters already pay for this newspaper. You can be one of the next."),
        _("Some readers pay for what everyone can read here. You can be one of them."),
    ),
    State.RUNNING: DefaultText(
        _("Help us find {target} new members"),
        _(
            "{supporters} supporters have brought us this far. Join them, or give a membership to "
            "someone who should read us."
        ),
        _(
            "Members pay for what everyone can read here. Join them, or give a membership to "
            "someone who should read us."
        ),
    ),
    State.REACHED: DefaultText(
        _("We’ve reached our goal, and you can still join"),
        _("Our new members join the {supporters} supporters we already had. Thank you."),
        _("Every new member now pays for more reporting than we had planned."),
    ),
    State.ENDED: DefaultText(
        _("Thank you to everyone who joined or gave"),
        _("Their money pays for our next articles. You can join at any time."),
    ),
}

PLACEMENTS: dict[str, BannerPlacement] = {
    Banner.Placement.TOP: BannerPlacement(
        "campaigns/embed/top.html",
        {
            Goal.Kind.NEW_MEMBERS: _TOP_TEXTS,
            Goal.Kind.GIFTS: _GENERAL_TEXTS,
            Goal.Kind.MONEY: _GENERAL_TEXTS,
        },
    ),
    Banner.Placement.INLINE: BannerPlacement(
        "campaigns/embed/inline.html",
        {
            Goal.Kind.NEW_MEMBERS: _INLINE_TEXTS,
            Goal.Kind.GIFTS: _GENERAL_TEXTS,
            Goal.Kind.MONEY: _GENERAL_TEXTS,
        },
    ),
    Banner.Placement.END: BannerPlacement(
        "campaigns/embed/end.html",
        {
            Goal.Kind.NEW_MEMBERS: _END_TEXTS,
            Goal.Kind.GIFTS: _GENERAL_TEXTS,
            Goal.Kind.MONEY: _GENERAL_TEXTS,
        },
    ),
}
