"""The count of a goal in words for staff: "312 of 1,000 new members", as readers see it."""

from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from campaigns.money import format_money
from campaigns.progress import Progress, find_goal_kind
from campaigns.reports.charts import write_number


@dataclass(frozen=True)
class Headline:
    """The count and the target in one language; `note` says what else is to know about them."""

    number: str
    target: str
    pattern: str  # "{counted} of {target} new members"
    note: str = ""

    @property
    def words(self) -> str:
        return self.pattern.format(counted=self.number, target=self.target)

    @property
    def rest(self) -> str:
        """The words beside the number, which is set larger: "of 1,000 new members"."""
        return self.pattern.format(counted="", target=self.target).strip()

    @property
    def html(self) -> SafeString:
        """The words with the number in an element of its own."""
        number = format_html("<strong>{}</strong>", self.number)
        return format_html(self.pattern, counted=number, target=self.target)


def write_headline(goal: Progress, language: str) -> Headline:
    """Return the goal's count in the language, which has to be the active one."""

    def write(number: int) -> str:
        if goal.is_money:
            return format_money(number, goal.currency, language=language)
        return write_number(number)

    kind = find_goal_kind(goal.kind)
    choose = kind.get_total_pattern if goal.starts_from else kind.get_count_pattern
    pattern = _("{counted} of {target} raised") if goal.is_money else choose(goal.shown_target)
    notes = []
    if goal.starts_from:
        words = _("%(counted)s in this campaign, %(start)s from before it.")
        notes.append(words % {"counted": write(goal.counted), "start": write(goal.starts_from)})
    if goal.is_stretching or (goal.stretch_target and goal.is_reached):
        notes.append(_("The first goal of %(target)s is reached.") % {"target": write(goal.target)})
    elif goal.stretch_target:
        notes.append(_("Next target: %(target)s.") % {"target": write(goal.stretch_target)})
    return Headline(write(goal.shown), write(goal.shown_target), pattern, " ".join(notes))
