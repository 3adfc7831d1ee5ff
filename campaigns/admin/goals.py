"""The goals of a campaign: targets, the starting number and the next target."""

from typing import Any

from django import forms
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

from campaigns.admin.numbers import NumbersInWords
from campaigns.admin.site import staff_money
from campaigns.forms.money import MoneyField
from campaigns.models import Campaign, Goal


class GoalForm(forms.ModelForm[Goal]):
    """Asks for a number of members or gifts, or for money in the campaign's currency."""

    target = MoneyField(
        label=_("Target"),
        help_text=_(
            "A number of members or gifts, or an amount of money in the campaign’s currency, for "
            "example 50000 or 50000.50."
        ),
        error_messages={
            "required": _("Enter a target."),
            "zero": _("The target must be above zero."),
        },
    )

    starts_from = MoneyField(
        label=_("Starting number"),
        required=False,
        allows_zero=True,
        help_text=_(
            "What you had before the campaign, for example 3120 of 4000 supporters. Banners add "
            "the count to it and say so. Reports keep the count alone."
        ),
    )
    stretch_target = MoneyField(
        label=_("Next target"),
        required=False,
        help_text=_(
            "Banners show this target once the first one is reached. Leave it empty to say thanks "
            "and to keep counting."
        ),
        error_messages={"zero": _("The target must be above zero.")},
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():  # staff who may only view have none
            if isinstance(field, MoneyField):
                is_money = self["kind"].value() == Goal.Kind.MONEY
                field.currency = currency if is_money else ""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        target = cleaned.get("target")
        if "starts_from" in cleaned:
            cleaned["starts_from"] = cleaned["starts_from"] or 0
            if target and cleaned["starts_from"] >= target:
                self.add_error("starts_from", _("The starting number must be below the target."))
        if target and (cleaned.get("stretch_target") or target + 1) <= target:
            self.add_error("stretch_target", _("The next target must be above the first one."))
        return cleaned

    def validate_constraints(self) -> None:
        """Leave the check of the primary goal to GoalFormSet, which sees all goals."""
        is_primary, self.instance.is_primary = self.instance.is_primary, False
        super().validate_constraints()
        self.instance.is_primary = is_primary


class GoalFormSet(BaseInlineFormSet[Goal, Campaign, forms.ModelForm[Goal]]):
    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return super().get_form_kwargs(index) | {"currency": self.instance.currency}

    def clean(self) -> None:
        super().clean()
        kept = [
            form.cleaned_data
            for form in self.forms
            if form.cleaned_data.get("kind") and not form.cleaned_data.get("DELETE")
        ]
        primary = sum(bool(goal.get("is_primary")) for goal in kept)
        if primary > 1:
            raise forms.ValidationError(
                _("Choose only one primary goal. It is the goal that banners show.")
            )
        if kept and not primary:
            raise forms.ValidationError(
                _("Choose a primary goal. It is the goal that banners show.")
            )

    def save(self, commit: bool = True) -> list[Goal]:
        """Unset the old primary goal before the new one is written, so that there are never two."""
        if commit:
            chosen = [
                form.instance.pk for form in self.forms if form.cleaned_data.get("is_primary")
            ]
            self.instance.goals.exclude(pk__in=chosen).update(is_primary=False)
        return super().save(commit)


class GoalInline(NumbersInWords):
    model = Goal
    numbers = ("target", "starts_from", "stretch_target")
    form = GoalForm
    formset = GoalFormSet
    add_text = _("Add a goal")
    fields = [("kind", "is_primary"), "target", "starts_from", "stretch_target"]
    extra = 0
    min_num = 1
    max_num = len(Goal.Kind)

    @staticmethod
    def write_number(row: Goal, number: int) -> str:
        if row.kind == Goal.Kind.MONEY:
            return staff_money(number, row.campaign.currency)
        return str(number_format(number, force_grouping=True))

    # The goals of a closed campaign can't be changed: its final counts belong to them.

    def has_add_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return not is_closed(obj) and super().has_add_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return not is_closed(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return not is_closed(obj) and super().has_delete_permission(request, obj)


def is_closed(campaign: Campaign | None) -> bool:
    return campaign is not None and campaign.closed_at is not None
