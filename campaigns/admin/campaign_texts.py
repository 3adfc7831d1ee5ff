"""The forms of a campaign's texts: unknown placeholders and other markup are refused."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns.admin.site import KnownLanguages
from campaigns.banners import PLACEHOLDERS, list_unknown, list_wrong_forms
from campaigns.forms.markup import count_visible, drop_markup, has_markup
from campaigns.languages import list_plural_forms
from campaigns.models import Banner, CampaignCopy
from campaigns.models.banner import LONGEST
from campaigns.models.copy import list_languages

_KNOWN = " ".join(f"{{{name}}}" for name in PLACEHOLDERS)
_EXPLANATION = format_lazy(
    "{} {}. {} {}",
    _("Placeholders that you can use in these texts:"),
    _KNOWN,
    _("A sentence is left out while one of its placeholders has no value."),
    _(
        "To make a word agree with a number, write its forms: {remaining} "
        "{remaining|member|members}."
    ),
)
_ROOM = _(
    "The bar and the corner have no room for the text, and the picture in newsletters shows the "
    "headline alone."
)
_MARKUP = '<em>…</em>, <strong>…</strong>, <a href="https://…">…</a>'
_MARKUP_EXPLANATION = format_lazy("{} {}.", _("For emphasis and links, write"), _MARKUP)
# The texts that may have emphasis and links.
RICH = {"text", "small_print", "story", "use_of_money"}
RICH_BANNER = RICH | {"headline"}


class TextsForm(forms.ModelForm[Any]):
    rich = RICH

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
        is_rich = name in self.rich
        if has_markup(text, is_rich=is_rich):
            clean = drop_markup(text, is_rich=is_rich)
            if is_rich:
                words = gettext("Only %(markup)s work here. Use this text instead: %(text)s")
                return words % {"markup": _MARKUP, "text": clean}
            words = gettext("Readers would see the markup. Use this text without it: %(text)s")
            return words % {"text": clean}
        if unknown := list_unknown(text):
            words = gettext("Unknown placeholder: %(unknown)s. You can use these: %(known)s")
            return words % {"unknown": ", ".join(unknown), "known": _KNOWN}
        language = self.cleaned_data.get("language") or settings.LANGUAGE_CODE
        if wrong := list_wrong_forms(text, language=language):
            words = gettext(
                "%(wrong)s: write %(n)s forms of the word, because %(language)s has that many."
            )
            return words % {
                "wrong": ", ".join(wrong),
                "language": dict(list_languages()).get(language, language),
                "n": len(list_plural_forms(language)),
            }
        return ""


class CampaignCopyForm(TextsForm):
    def explain_fault(self, name: str, text: str) -> str:
        if name == "name" and {"{", "}"} & set(text):
            return gettext("A campaign’s name can’t have placeholders. Leave out { and }.")
        return super().explain_fault(name, text)


class BannerForm(TextsForm):
    rich = RICH_BANNER

    class Meta:
        widgets = {
            "text": forms.Textarea({"rows": 2, "class": "vLargeTextField"}),
            "headline": forms.TextInput({"class": "vLargeTextField"}),
            "small_print": forms.TextInput({"class": "vLargeTextField"}),
        }

    def explain_fault(self, name: str, text: str) -> str:
        fault = super().explain_fault(name, text)
        most = LONGEST.get(name)
        if not fault and most is not None and count_visible(text) > most:
            words = gettext("This text has %(count)s characters. At most %(most)s fit.")
            return words % {"count": count_visible(text), "most": most}
        return fault


class TextsInline(KnownLanguages):
    """Shows `explanation` once, and each text that there is folded behind its name."""

    template = "campaigns/staff/folded_texts.html"
    explanation: Promise


class CampaignCopyInline(TextsInline):
    model = CampaignCopy
    form = CampaignCopyForm
    extra = 0
    min_num = 1
    verbose_name = _("translation")
    add_text = _("Add a translation")
    verbose_name_plural = _("texts")
    explanation = _EXPLANATION
    fields = ["language", "name", "headline", "summary", "story", "use_of_money"]


class BannerInline(TextsInline):
    model = Banner
    form = BannerForm
    extra = 0
    verbose_name = _("custom banner text")
    add_text = _("Add a custom banner text")
    verbose_name_plural = _("custom banner text (leave empty to use the default)")
    explanation = format_lazy("{} {} {}", _ROOM, _EXPLANATION, _MARKUP_EXPLANATION)
    fields = [
        ("placement", "state", "language"),
        "headline",
        "text",
        ("join_label", "gift_label"),
        "small_print",
    ]
