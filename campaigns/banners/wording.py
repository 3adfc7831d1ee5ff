"""What a banner says in each state of the drive, unless staff wrote something else."""

from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.models import Banner, Campaign, CampaignCopy
from campaigns.progress import Progress

Placement = Banner.Placement
State = Banner.State


@dataclass(frozen=True)
class Wording:
    kicker: str
    headline: str
    text: str


_DEFAULTS: dict[tuple[str, str], tuple[str | Promise, str | Promise]] = {
    (Placement.TOP, State.BEFORE): (
        _("Our birthday drive begins soon."),
        _("We are looking for {target} new members."),
    ),
    (Placement.TOP, State.RUNNING): (
        _("{target} new members by our birthday."),
        _("Reporting here is paid for by its readers."),
    ),
    (Placement.TOP, State.REACHED): (
        _("You did it: {counted} new members."),
        _("Every further one helps us report."),
    ),
    (Placement.TOP, State.ENDED): (
        _("Thank you: {counted} of {target} new members."),
        _("The drive is over, the door stays open."),
    ),
    (Placement.INLINE, State.BEFORE): (
        _("Soon we will ask you for a birthday present"),
        _(
            "Most who read us never pay, and nobody has to. For our birthday we are going to look "
            "for {target} readers who will."
        ),
    ),
    (Placement.INLINE, State.RUNNING): (
        _("One reader in 10,000 pays for this. Will you?"),
        _(
            "Our articles are open to all because a few carry the cost. We are looking for "
            "{target} new members by our birthday; {left} are still missing."
        ),
    ),
    (Placement.INLINE, State.REACHED): (
        _("{counted} new members. The goal is reached"),
        _(
            "Thank you to everybody who joined or gave. Whoever joins now pays for the reporting "
            "beyond what we had planned."
        ),
    ),
    (Placement.INLINE, State.ENDED): (
        _("{counted} readers joined us for our birthday"),
        _("The drive is over. What you read here still lives from its members, every day."),
    ),
    (Placement.END, State.BEFORE): (
        _("Three years, paid for by readers"),
        _("{supporters} supporters carry this newspaper. Soon we ask {target} more to join them."),
    ),
    (Placement.END, State.RUNNING): (
        _("Help us find {target} new members"),
        _(
            "{supporters} supporters have carried us this far, for three years now. Join them, or "
            "give a membership to somebody who should read us."
        ),
    ),
    (Placement.END, State.REACHED): (
        _("The goal is reached, and you are still welcome"),
        _("{counted} new members stand beside the {supporters} supporters we had. Thank you."),
    ),
    (Placement.END, State.ENDED): (
        _("Thank you for our birthday present"),
        _("{counted} new members of {target}. You can join on any other day, too."),
    ),
}


class _Placeholders(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return ""  # a typing error of staff's must never make a banner vanish


def choose_wording(
    campaign: Campaign, progress: Progress, *, placement: str, copy: CampaignCopy, language: str
) -> Wording:
    """Staff's own text for that placement, state and language if they wrote one, else ours."""
    own = campaign.banners.filter(
        placement=placement, state=progress.state, language=language
    ).first()
    headline, text = (own.headline, own.text) if own else _DEFAULTS[placement, progress.state]
    values = _Placeholders(
        counted=_number(progress.counted),
        target=_number(progress.target),
        left=_number(progress.left),
        percent=str(progress.percent),
        supporters=_number(campaign.supporters_before),
        name=copy.name,
    )
    return Wording(copy.name, _fill_in(str(headline), values), _fill_in(str(text), values))


def _fill_in(text: str, values: _Placeholders) -> str:
    try:
        return text.format_map(values)
    except (ValueError, AttributeError, IndexError, KeyError):  # a lone brace, {0} or {a.b}
        return text.replace("{", "").replace("}", "")


def _number(value: int) -> str:
    return str(number_format(value, force_grouping=True))
