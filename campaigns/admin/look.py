"""The newsroom's look: its name, logo, colours and fonts, with their contrast."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns.admin.base import StaffModelAdmin
from campaigns.admin.closing import publish_soon
from campaigns.colours import is_colour
from campaigns.models import Campaign, Look
from campaigns.models.look import AA, COLOURS, CONTRAST_RULES, DARK, LIGHT

# Fonts that most devices have; staff can name any other.
SERIF_FONTS = ("Georgia", "Charter", "Palatino", "Cambria", "Times New Roman")
SANS_FONTS = ("Helvetica Neue", "Arial", "Verdana", "Trebuchet MS", "Segoe UI")


class LookForm(forms.ModelForm[Look]):
    class Meta:
        widgets = {
            "name": forms.TextInput(attrs={"size": 40}),
            "logo": forms.Textarea(attrs={"rows": 6, "cols": 80, "spellcheck": "false"}),
            "headline_font": forms.TextInput(attrs={"list": "serif-fonts", "size": 30}),
            "text_font": forms.TextInput(attrs={"list": "sans-fonts", "size": 30}),
        }
        help_texts = {
            "logo": _(
                "The text of an SVG file. It replaces the name on readers’ pages, in e-mails and "
                "on gift cards. Leave it empty to show the name."
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for scheme, prefix, palette in (("light", "", LIGHT), ("dark", "dark_", DARK)):
            for name in COLOURS:
                if field := self.fields.get(prefix + name):
                    field.widget = forms.TextInput(
                        attrs={
                            "size": 8,
                            "maxlength": 7,
                            "spellcheck": "false",
                            "placeholder": getattr(palette, name),
                            "data-colour": name,
                            "data-scheme": scheme,
                        }
                    )
        if "name" in self.fields:
            self.fields["name"].widget.attrs["placeholder"] = settings.NEWSROOM_NAME

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        # The model refuses what isn't a colour, but only after this.
        typed = {name: value for name, value in cleaned.items() if is_colour(value)}
        for field, rule, ratio in Look(**typed).list_faults():
            words = gettext(
                "%(pair)s: the contrast is %(ratio)s to 1, and readers need at least %(least)s to "
                "1. Choose colours that differ more."
            )
            # Rounded down, so that 4.49 isn't refused as 4.5.
            shown = number_format(int(ratio * 100) / 100, decimal_pos=2)
            self.add_error(
                field, words % {"pair": rule.label, "ratio": shown, "least": number_format(AA, 1)}
            )
        return cleaned


@admin.register(Look)
class LookAdmin(StaffModelAdmin):
    add_label = _("Name, logo and colours")
    form = LookForm
    change_form_template = "campaigns/staff/look.html"
    fieldsets = [
        (None, {"fields": ["name", "logo"]}),
        (
            _("Colours on light devices"),
            {
                "description": _("Leave a field empty to use the colour it shows."),
                "fields": list(COLOURS),
            },
        ),
        (_("Colours on dark devices"), {"fields": [f"dark_{name}" for name in COLOURS]}),
        (
            _("Fonts"),
            {
                "description": _(
                    "The name of a font that your readers’ devices have. Devices without it use "
                    "ours. Nothing is downloaded."
                ),
                "fields": ["headline_font", "text_font"],
            },
        ),
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not Look.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Look | None = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Open the one row there is."""
        look = Look.objects.first()
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        if look is not None:
            url = reverse("admin:campaigns_look_change", args=[look.pk])
        elif self.has_add_permission(request):
            url = reverse("admin:campaigns_look_add")
        else:
            return super().changelist_view(request, extra_context)
        return HttpResponseRedirect(url)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        rules = [
            {"first": rule.first, "second": rule.second, "label": str(rule.label)}
            for rule in CONTRAST_RULES
        ]
        context = {
            "show_save_and_add_another": False,
            "rules": rules,
            "least": AA,
            "serif_fonts": SERIF_FONTS,
            "sans_fonts": SANS_FONTS,
        }
        return super().changeform_view(
            request, object_id, form_url, context | (extra_context or {})
        )

    def save_model(self, request: HttpRequest, obj: Look, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        publish_soon(list(Campaign.objects.values_list("pk", flat=True)))
