"""The placements of banners, each with its template, its default texts and where it can be closed.

The default texts claim only what the campaign's rows show. Staff can write what only they know
about their newsroom, such as its age or how few of its readers pay.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_stubs_ext import StrOrPromise

from campaigns.models import Banner, Campaign, Goal
from campaigns.progress import Progress, Stage

State = Banner.State
JOIN_LABEL = pgettext_lazy("banner button", "Become a member")
GIFT_LABEL = _("Gift membership")


@dataclass(frozen=True)
class DefaultText:
    """A banner's headline and text where staff wrote none, with the placeholders of `Banner`."""

    headline: StrOrPromise
    text: StrOrPromise
    # For campaigns without an earlier number of supporters. None: the text doesn't mention it.
    text_without_supporters: StrOrPromise | None = None


Texts = Mapping[str, DefaultText]


@dataclass(frozen=True)
class BannerPlacement:
    """Everything that belongs to one placement, apart from its label (see `Banner.Placement`)."""

    template: str
    # By goal kind, then by state.
    texts: Mapping[str, Texts]
    styles: tuple[str, ...] = ()  # files in static/campaigns/banners/, beside common.css
    small_print: StrOrPromise = ""
    is_closable: bool = False  # whether readers can hide it for some days
    is_picture: bool = False  # whether it is drawn, for e-mails, with a headline and no buttons
    # The height in px that a page keeps for it, by the page's least width in px.
    heights: Mapping[int, int] = field(default_factory=dict)
    join_label: StrOrPromise = JOIN_LABEL
    gift_label: StrOrPromise = GIFT_LABEL


# For a goal whose first target is reached and whose next one is not.
STRETCH_TEXT = DefaultText(
    _("We’ve reached our goal. The next one is {goal}."),
    _("Thank you. If you join now, you pay for more reporting than we had planned."),
)

# Sentences that fit gift memberships and money alike: the count says which.
_GENERAL_TEXTS: dict[str, DefaultText] = {
    State.BEFORE: DefaultText(
        _("From {starts} we’ll ask for your help."), _("Our readers pay for our journalism.")
    ),
    State.RUNNING: DefaultText(
        _("Help us get there by {ends}."), _("Our readers pay for our journalism.")
    ),
    State.NEARLY: DefaultText(
        _("We’re nearly there: {remaining} to go."), _("Help us get there by {ends}.")
    ),
    State.LAST_DAY: DefaultText(
        _("Today is the last day. {hours_left} left."),
        _("{remaining} to go. Our readers pay for our journalism."),
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
    State.NEARLY: DefaultText(
        _("We’re nearly there: {remaining} to go."),
        _("Every new member brings us closer. You have until {ends}."),
    ),
    State.LAST_DAY: DefaultText(
        _("Today is the last day. {hours_left} left."),
        _("{remaining} to go: you can still join today."),
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
            "for {target} new members by {ends}. {left} to go."
        ),
    ),
    State.NEARLY: DefaultText(
        _("Only {remaining} to go"),
        _(
            "We’re looking for {goal} new members by {ends}, and we’re nearly there. Our articles "
            "are open to everyone because some readers pay for them."
        ),
    ),
    State.LAST_DAY: DefaultText(
        _("Today is the last day. {hours_left} left."),
        _(
            "Our articles are open to everyone because some readers pay for them. {remaining} to "
            "go: will you be one of them?"
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

_CORNER_TEXTS: dict[str, DefaultText] = {
    State.BEFORE: DefaultText(
        _("Soon we’ll ask for your help"), _("From {starts} we’ll look for {goal} new members.")
    ),
    State.RUNNING: DefaultText(
        _("Help us get there by {ends}"), _("Our readers pay for our journalism.")
    ),
    State.NEARLY: DefaultText(_("Only {remaining} to go"), _("Help us get there by {ends}.")),
    State.LAST_DAY: DefaultText(
        _("Today is the last day"), _("{remaining} to go. {hours_left} left.")
    ),
    State.REACHED: DefaultText(
        _("We’ve reached our goal. Thank you."), _("You can still join, and it still helps.")
    ),
    State.ENDED: DefaultText(_("The campaign is over. Thank you"), _("You can join at any time.")),
}

# The picture itself says when the campaign starts.
_NEWSLETTER_TEXTS = _TOP_TEXTS | {State.BEFORE: _CORNER_TEXTS[State.BEFORE]}

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
    State.NEARLY: DefaultText(
        _("We’re nearly at {goal} new members"),
        _(
            "{supporters} supporters have brought us this far: only {remaining} to go. "
            "Join us, or give a membership to someone who should read us."
        ),
        _("Only {remaining} to go. Join us, or give a membership to someone who should read us."),
    ),
    State.LAST_DAY: DefaultText(
        _("Today is the last day of our campaign"),
        _(
            "{hours_left} left. {supporters} supporters have brought us this far: join them today, "
            "or give a membership."
        ),
        _("{hours_left} left. Join us today, or give a membership to someone who should read us."),
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


def _with_general(texts: Texts) -> Mapping[str, Texts]:
    """Return texts about new members, and the general ones for the other goal kinds."""
    return {
        Goal.Kind.NEW_MEMBERS: texts,
        Goal.Kind.GIFTS: _GENERAL_TEXTS,
        Goal.Kind.MONEY: _GENERAL_TEXTS,
    }


PLACEMENTS: dict[str, BannerPlacement] = {
    Banner.Placement.TOP: BannerPlacement(
        "campaigns/embed/top.html",
        _with_general(_TOP_TEXTS),
        styles=("small", "top"),
        is_closable=True,
        heights={0: 135, 640: 95, 1280: 67},
    ),
    Banner.Placement.INLINE: BannerPlacement(
        "campaigns/embed/inline.html",
        _with_general(_INLINE_TEXTS),
        styles=("kicker", "block"),
        heights={0: 745, 360: 680, 480: 570, 576: 490},
    ),
    Banner.Placement.END: BannerPlacement(
        "campaigns/embed/end.html",
        _with_general(_END_TEXTS),
        styles=("kicker", "block"),
        small_print=_("Payment is handled by Stripe. {newsroom} never sees your card number."),
        heights={0: 845, 360: 760, 576: 680, 680: 630},
    ),
    Banner.Placement.CORNER: BannerPlacement(
        "campaigns/embed/corner.html",
        _with_general(_CORNER_TEXTS),
        styles=("kicker", "small", "corner"),
        is_closable=True,
    ),
    Banner.Placement.NEWSLETTER: BannerPlacement(
        "campaigns/embed/newsletter.svg", _with_general(_NEWSLETTER_TEXTS), is_picture=True
    ),
}
# Those that articles show.
EMBEDDED = {name: entry for name, entry in PLACEMENTS.items() if not entry.is_picture}


def find_default_text(campaign: Campaign, progress: Progress, *, placement: str) -> DefaultText:
    """Return the text for this placement, goal kind and state."""
    if progress.stage is Stage.STRETCHING and progress.state == State.REACHED:
        return STRETCH_TEXT
    # With a starting number, the goal isn't of new members alone.
    texts = PLACEMENTS[placement].texts[progress.kind]
    default = (_GENERAL_TEXTS if progress.starts_from else texts)[progress.state]
    if default.text_without_supporters is not None and not campaign.supporters_before:
        return replace(default, text=default.text_without_supporters)
    return default
