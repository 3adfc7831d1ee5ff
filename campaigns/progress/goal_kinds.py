"""The goal kinds: what each of them counts, and how its count is written."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count
from django.utils.translation import gettext, ngettext

from campaigns.models import Campaign, Goal, Payment
from campaigns.progress.money import sum_money_raised


class UnknownGoalKind(LookupError):
    """Raised for a goal kind that `GOAL_KINDS` doesn't list."""


@dataclass(frozen=True)
class Counted:
    """The count of a goal: a number of people and gifts, or an amount in minor units."""

    total: int
    people: int = 0
    gifts: int = 0


@dataclass(frozen=True)
class GoalKind:
    """Everything that belongs to one kind of goal, apart from its label (see `Goal.Kind`)."""

    # Counts what a campaign has reached at a moment.
    count: Callable[[Campaign, datetime], Counted]
    # Returns "{counted} of {target} new members" in the active language, for that target.
    get_count_pattern: Callable[[int], str]
    # The same for a goal with a starting number, whose count isn't of new ones alone.
    get_total_pattern: Callable[[int], str]
    # The payments that can count towards it, once they succeed.
    roles: tuple[Payment.Role, ...]
    is_money: bool = False

    @property
    def includes_people(self) -> bool:
        """True if people who paid for themselves count, and not only gifts."""
        return Payment.Role.FIRST in self.roles


def _count_new_members(campaign: Campaign, at: datetime) -> Counted:
    tallies = campaign.tallies.counting_at(at)
    # One of the two is set in every row, so one reading of the rows counts both.
    people, gifts = tallies.aggregate(p=Count("member"), g=Count("gift")).values()
    return Counted(people + gifts, people=people, gifts=gifts)


def _count_gifts(campaign: Campaign, at: datetime) -> Counted:
    gifts = campaign.tallies.counting_at(at).filter(gift__isnull=False).count()
    return Counted(gifts, gifts=gifts)


def _count_money(campaign: Campaign, at: datetime) -> Counted:
    return Counted(sum_money_raised(campaign, at=at))


def _get_gift_pattern(target: int) -> str:
    return ngettext(
        "{counted} of {target} gift membership", "{counted} of {target} gift memberships", target
    )


def _get_money_pattern(target: int) -> str:
    return gettext("{counted} of {target}")


GOAL_KINDS: dict[str, GoalKind] = {
    Goal.Kind.NEW_MEMBERS: GoalKind(
        count=_count_new_members,
        get_count_pattern=lambda target: ngettext(
            "{counted} of {target} new member", "{counted} of {target} new members", target
        ),
        get_total_pattern=lambda target: ngettext(
            "{counted} of {target} supporter", "{counted} of {target} supporters", target
        ),
        roles=Payment.COUNTED_ROLES,
    ),
    Goal.Kind.GIFTS: GoalKind(
        count=_count_gifts,
        get_count_pattern=_get_gift_pattern,
        get_total_pattern=_get_gift_pattern,
        roles=(Payment.Role.GIFT,),
    ),
    Goal.Kind.MONEY: GoalKind(
        count=_count_money,
        get_count_pattern=_get_money_pattern,
        get_total_pattern=_get_money_pattern,
        roles=Payment.MONEY_ROLES,
        is_money=True,
    ),
}


def find_goal_kind(kind: str) -> GoalKind:
    """Return the table's entry for this kind; raises UnknownGoalKind."""
    try:
        return GOAL_KINDS[kind]
    except KeyError:
        raise UnknownGoalKind(f"There is no goal kind “{kind}”.") from None
