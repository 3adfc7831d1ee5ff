"""What a banner says in each state of the campaign, unless staff wrote something else.

Our own sentences claim nothing but what the campaign's rows carry; what only one newsroom can say
of itself (its age, how few of its readers pay) is for staff to write.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from babel.numbers import format_decimal
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from campaigns.models import Banner, Campaign, CampaignCopy, Goal
from campaigns.money import format_money
from campaigns.progress import Progress

Placement = Banner.Placement
State = Banner.State
Text = str | Promise


@dataclass(frozen=True)
class BannerText:
    kicker: str
    headline: str
    text: str


@dataclass(frozen=True)
class Count:
    """The number as a reader of that language writes it."""

    counted: str
    target: str
    pattern: str

    @property
    def words(self) -> str:
        """ "312 of 1,000 new members"."""
        return self.pattern.format(counted=self.counted, target=self.target)

    @property
    def html(self) -> SafeString:
        """The words for a page, the counted part set apart."""
        apart = format_html('<strong class="campaign-number">{}</strong>', self.counted)
        return format_html(self.pattern, counted=apart, target=self.target)

    @property
    def svg(self) -> SafeString:
        """The words for a picture, the counted part set apart."""
        apart = format_html('<tspan class="number">{}</tspan>', self.counted)
        return format_html(self.pattern, counted=apart, target=self.target)


_DEFAULTS: dict[tuple[str, str], tuple[Text, Text]] = {
    (Placement.TOP, State.BEFORE): (
        _("Our campaign begins on {starts}."),
        _("We are going to look for {target} new members."),
    ),
    (Placement.TOP, State.RUNNING): (
        _("Help us get there by {ends}."),
        _("Reporting here is paid for by its readers."),
    ),
    (Placement.TOP, State.REACHED): (
        _("The goal is reached. Thank you."),
        _("Whoever joins now pays for reporting beyond it."),
    ),
    (Placement.TOP, State.ENDED): (
        _("Thank you to everybody who joined."),
        _("The campaign is over, the door stays open."),
    ),
    (Placement.INLINE, State.BEFORE): (
        _("Soon we will ask for your help"),
        _(
            "Nobody has to pay to read us. So that it stays that way, we are going to look for "
            "{target} readers who choose to."
        ),
    ),
    (Placement.INLINE, State.RUNNING): (
        _("Read by many, paid for by a few"),
        _(
            "Our articles are open to everybody because some readers carry the cost. We are "
            "looking for {target} new members by {ends}: {left} to go."
        ),
    ),
    (Placement.INLINE, State.REACHED): (
        _("{target} new members: the goal is reached"),
        _(
            "Thank you to everybody who joined or gave. Whoever joins now pays for reporting "
            "beyond what we had planned."
        ),
    ),
    (Placement.INLINE, State.ENDED): (
        _("The campaign is over. Thank you"),
        _("What you read here still lives from its members, on this day as on any other."),
    ),
    (Placement.END, State.BEFORE): (
        _("We are about to look for {target} new members"),
        _("{supporters} supporters carry this newspaper already. You can be among the next."),
    ),
    (Placement.END, State.RUNNING): (
        _("Help us find {target} new members"),
        _(
            "{supporters} supporters have carried us this far. Join them, or give a membership to "
            "somebody who should read us."
        ),
    ),
    (Placement.END, State.REACHED): (
        _("The goal is reached, and you are still welcome"),
        _("The new members stand beside the {supporters} supporters we had. Thank you."),
    ),
    (Placement.END, State.ENDED): (
        _("Thank you to everybody who joined or gave"),
        _("Their money pays for the articles that come next. You can join on any day."),
    ),
}

# Where a campaign began without supporters, or nobody entered them, none are spoken of.
_WITHOUT_SUPPORTERS: dict[str, Text] = {
    State.BEFORE: _("What everybody can read here is paid for by some. You can be among them."),
    State.RUNNING: _(
        "Members pay for what everybody can read here. Join them, or give a membership to "
        "somebody who should read us."
    ),
    State.REACHED: _("Whoever joins now pays for reporting beyond what we had planned."),
}

# Goals of gifts and of money: sentences that hold for either, the number says the rest.
_OTHER_GOALS: dict[str, tuple[Text, Text]] = {
    State.BEFORE: (
        _("From {starts} we will ask for your help."),
        _("Reporting here is paid for by its readers."),
    ),
    State.RUNNING: (
        _("Help us get there by {ends}."),
        _("Reporting here is paid for by its readers."),
    ),
    State.REACHED: (
        _("The goal is reached. Thank you."),
        _("Whatever comes now pays for reporting beyond what we had planned."),
    ),
    State.ENDED: (
        _("Thank you to everybody who took part."),
        _("The campaign is over, the door stays open."),
    ),
}

# {target}, and what staff may make of it: { target }, {target!s}, {target:>5}.
_PLACEHOLDER = re.compile(r"\{\s*(\w*)[^{}]*\}")


def choose_text(
    campaign: Campaign, progress: Progress, *, placement: str, copy: CampaignCopy, language: str
) -> BannerText:
    """Staff's own text for that placement, state and language if they wrote one, else ours."""
    own = campaign.banners.filter(
        placement=placement, state=progress.state, language=language
    ).first()
    headline, text = (
        (own.headline, own.text) if own else _default_text(campaign, progress, placement=placement)
    )
    # The end is exclusive: a campaign that ends at midnight has its last day before that.
    last_moment = campaign.ends_at - timedelta(microseconds=1)
    values = {
        "counted": _write_amount(progress, progress.counted, language=language),
        "target": _write_amount(progress, progress.target, language=language),
        "left": _write_amount(progress, progress.left, language=language),
        "percent": _write_number(progress.percent, language=language),
        "supporters": _write_number(campaign.supporters_before, language=language),
        "starts": _write_day(campaign, campaign.starts_at),
        "ends": _write_day(campaign, last_moment),
        "name": copy.name,
    }
    return BannerText(copy.name, _fill_in(str(headline), values), _fill_in(str(text), values))


def _default_text(campaign: Campaign, progress: Progress, *, placement: str) -> tuple[Text, Text]:
    state = progress.state
    if progress.kind != Goal.Kind.NEW_MEMBERS:
        return _OTHER_GOALS[state]
    headline, text = _DEFAULTS[placement, state]
    if placement == Placement.END and not campaign.supporters_before:
        text = _WITHOUT_SUPPORTERS.get(state, text)
    return headline, text


def _fill_in(text: str, values: dict[str, str]) -> str:
    """The text with its placeholders filled in; a typing error never makes a banner vanish.

    A name that nobody knows becomes nothing, a brace without its partner goes.
    """
    filled = _PLACEHOLDER.sub(lambda found: values.get(found[1], ""), text)
    return filled.replace("{", "").replace("}", "")


def write_count(progress: Progress, *, language: str) -> Count:
    """The number in that language, which is also the one that is switched on."""
    match progress.kind:
        case Goal.Kind.MONEY:
            pattern = gettext("{counted} of {target}")
        case Goal.Kind.GIFTS:
            pattern = ngettext(
                "{counted} of {target} gift membership",
                "{counted} of {target} gift memberships",
                progress.target,
            )
        case _:
            pattern = ngettext(
                "{counted} of {target} new member",
                "{counted} of {target} new members",
                progress.target,
            )
    return Count(
        _write_amount(progress, progress.counted, language=language),
        _write_amount(progress, progress.target, language=language),
        pattern,
    )


def _write_amount(progress: Progress, value: int, *, language: str) -> str:
    if progress.is_money:
        return format_money(value, progress.currency, language=language)
    return _write_number(value, language=language)


def _write_number(value: int, *, language: str) -> str:
    # Babel knows how each language parts thousands, and with which space.
    return str(format_decimal(value, locale=language))


def _write_day(campaign: Campaign, moment: datetime) -> str:
    # A day is not parted from its month at a line's end.
    return date_format(moment.astimezone(campaign.zone_info), "j\xa0E")
