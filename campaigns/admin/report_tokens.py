"""Report addresses: users make and revoke their own; administrators see everybody's."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from campaigns.admin.columns import write_answer
from campaigns.admin.forms import StaffForm
from campaigns.admin.identity import confirm_identity, is_confirmed
from campaigns.admin.pages import ActionPages, Done, NotDone, Page
from campaigns.models import Campaign, ReportToken
from campaigns.reports import tokens

_SEE_ALL = "auth.view_user"
_CAMPAIGNS_SHOWN = 5


def _revoke(pages: ActionPages, request: HttpRequest, token: ReportToken) -> HttpResponse:
    return pages.answer_form(
        request,
        token,
        StaffForm(request.POST or None),
        do=lambda wanted, user: _revoke_token(token),
        title=gettext("Revoke address"),
        explanation=gettext(
            "Spreadsheets and systems that read this address get no more data from now on. This "
            "can’t be undone, but you can add a new address."
        ),
    )


def _revoke_token(token: ReportToken) -> Done:
    if not tokens.revoke_token(token):
        raise NotDone(gettext("This address is already revoked."))
    return Done(gettext("Address revoked."))


REVOKE = Page(
    name="revoke",
    path="revoke/",
    view=_revoke,
    permissions=("campaigns.change_reporttoken",),
    label=_("Revoke address"),
    refuse=lambda token: gettext("This address is already revoked.") if token.revoked_at else "",
    is_grave=True,
)


@admin.register(ReportToken)
class ReportTokenAdmin(ActionPages):
    add_label = _("Add report address")
    list_display = ["name", "user", "created_at", "used_at", "is_valid"]
    ordering = ["-created_at", "-pk"]
    fields = ["name"]
    pages = (REVOKE,)

    @admin.display(description=_("valid"))
    def is_valid(self, token: ReportToken) -> str:
        return write_answer(token.revoked_at is None)

    def describe_state(self, row: ReportToken) -> str:
        if row.revoked_at is not None:
            return gettext("This address is revoked.")
        return gettext("This address is valid. It was shown once, when it was added.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReportToken]:
        found = super().get_queryset(request).select_related("user")
        return found if request.user.has_perm(_SEE_ALL) else found.filter(user_id=request.user.pk)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return ["name"] if obj is None else ["name", "user", "created_at", "used_at", "revoked_at"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # there is nothing to change; revoking has its own page

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a revoked address stays in the list

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if self.has_add_permission(request) and not is_confirmed(request):
            return confirm_identity(request)
        one_button = {"show_save_and_continue": False, "show_save_and_add_another": False}
        return super().add_view(request, form_url, one_button | (extra_context or {}))

    def save_model(
        self, request: HttpRequest, obj: ReportToken, form: forms.ModelForm[Any], change: bool
    ) -> None:
        assert isinstance(request.user, User)
        secret = tokens.issue_token(obj, user=request.user)
        request.issued_secret = secret  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: ReportToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the addresses, this once."""
        secret: str = request.issued_secret  # type: ignore[attr-defined]
        language = get_language() or settings.LANGUAGE_CODE
        campaigns = Campaign.objects.prefetch_related("copies").order_by("-starts_at")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Report address added"),
            "token": obj,
            "secret": secret,
            "campaigns": [
                {
                    "slug": campaign.slug,
                    "name": campaign.copy_for(language).name,
                    "addresses": [
                        (label, _build_address(name, campaign, secret))
                        for name, label in (
                            ("report_days", gettext("Days (CSV)")),
                            ("report_figures", gettext("All figures (JSON)")),
                        )
                    ],
                }
                for campaign in campaigns[:_CAMPAIGNS_SHOWN]
            ],
        }
        return TemplateResponse(request, "campaigns/staff/report_token.html", context)


def _build_address(name: str, campaign: Campaign, secret: str) -> str:
    path = reverse(f"campaigns:{name}", args=[secret, campaign.slug])
    return settings.SITE_URL.rstrip("/") + path
