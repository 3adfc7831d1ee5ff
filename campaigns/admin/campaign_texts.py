"""The forms of a campaign's texts: unknown placeholders and markup are refused."""

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns.banners import PLACEHOLDERS, list_unknown
from campaigns.forms.markup import drop_markup, has_markup
from campaigns.models import Banner, Campaign, CampaignCopy

_KNOWN = " ".join(f"{{{name}}}" for name in PLACEHOLDERS)
_EXPLANATION = format_lazy(
    "{} {}. {}",
    _("Placeholders that you can use in these texts:"),
    _KNOWN,
    _("A sentence is left out while one of its placeholders has no value."),
)


class TextsForm(forms.ModelForm[Any]):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name, field in self.fields.items():
            text = cleaned.get(name)
            if not isinstance(field, forms.CharField) or not isinstance(text, str):
                continue
            if words := self.explain_fault(name, text):
                self.add_error(name, words)
        return cleaned

    def explain_fault(self, name: str, text: str) -> str:
        """Return why the field's text can't be published, or an empty string if it can."""
        if has_markup(text):
            words = gettext("Readers would see the markup. Use this text without it: %(text)s")
            return words % {"text": drop_markup(text)}
        if unknown := list_unknown(text):
            words = gettext("Unknown placeholder: %(unknown)s. You can use these: %(known)s")
            return words % {"unknown": ", ".join(unknown), "known": _KNOWN}
        return ""


class CampaignCopyForm(TextsForm):
    def explain_fault(self, name: str, text: str) -> str:
        if name == "name" and {"{", "}"} & set(text):
            return gettext("A campaign’s name can’t have placeholders. Leave out { and }.")
        return super().explain_fault(name, text)


class CampaignCopyInline(admin.StackedInline[CampaignCopy, Campaign]):
    model = CampaignCopy
    form = CampaignCopyForm
    extra = 0
    min_num = 1
    verbose_name = _("translation")
    add_text = _("Add a translation")
    verbose_name_plural = _("texts")
    fieldsets = [
        (
            None,
            {
                "description": _EXPLANATION,
                "fields": ["language", "name", "headline", "summary", "story", "use_of_money"],
            },
        )
    ]


class BannerInline(admin.StackedInline[Banner, Campaign]):
    model = Banner
    form = TextsForm
    extra = 0
    verbose_name = _("custom banner text")
    add_text = _("Add a custom banner text")
    verbose_name_plural = _("custom banner text (leave empty to use the default)")
    fieldsets = [
        (
            None,
            {
                "description": _EXPLANATION,
                "fields": [("placement", "state", "language"), "headline", "text"],
            },
        )
    ]
