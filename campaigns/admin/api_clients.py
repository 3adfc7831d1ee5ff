"""Other systems that may ask whether an address is a member's. Their token is shown once."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import members
from campaigns.admin.forms import StaffForm
from campaigns.admin.pages import ActionPages, Done, NotDone, Page
from campaigns.models import ApiClient
from campaigns.reports.titles import isolate


def _show_revocation(pages: ActionPages, request: HttpRequest, client: ApiClient) -> HttpResponse:
    return pages.answer_form(
        request,
        client,
        StaffForm(request.POST if request.method == "POST" else None),
        do=lambda _typed, _user: _revoke(client),
        title=gettext("Revoke token"),
        explanation=gettext(
            "%(name)s loses access within 5 seconds. You can’t undo this, but you can add a new "
            "client."
        )
        % {"name": isolate(client.name)},
    )


def _revoke(client: ApiClient) -> Done:
    if not members.revoke_client(client):
        raise NotDone(gettext("This token is already revoked."))
    return Done(gettext("Token revoked."))


REVOKE = Page(
    name="revoke",
    path="revoke/",
    view=_show_revocation,
    permissions=("campaigns.change_apiclient",),
    label=_("Revoke token"),
    refuse=lambda client: gettext("This token is already revoked.") if client.revoked_at else "",
    is_grave=True,
)


@admin.register(ApiClient)
class ApiClientAdmin(ActionPages):
    add_label = _("Add system")
    pages = (REVOKE,)
    list_note = _("Systems that may ask whether an e-mail address belongs to a member.")
    list_display = ["name", "state", "token_start", "created_at", "created_by"]
    list_select_related = ["created_by"]
    search_fields = ["name"]
    search_help_text = _("Name")
    show_full_result_count = False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        if obj is None:
            return ["name", "may_unsubscribe"]
        return [
            *("name", "may_unsubscribe", "state", "token_start"),
            *(("created_at", "created_by"), "revoked_at"),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["state", "token_start", "created_at", "created_by", "revoked_at"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: the name says who has the token."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: who had access stays on record. A token is revoked instead."""
        return False

    def save_model(self, request: HttpRequest, obj: ApiClient, form: Any, change: bool) -> None:
        assert isinstance(request.user, User)
        obj.created_by = request.user
        form.new_token = members.make_token(obj)
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        form.instance.new_token = form.new_token

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the token, once: it isn't stored, and no message or address contains it."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": obj,
            "title": gettext("Token for %(name)s") % {"name": isolate(obj.name)},
            "token": obj.new_token,
        }
        return TemplateResponse(
            request, "campaigns/staff/token.html", context, headers={"Cache-Control": "no-store"}
        )

    @admin.display(description=_("token"))
    def token_start(self, client: ApiClient) -> str:
        return f"{client.token_hint}…"

    @admin.display(description=_("state"), ordering="revoked_at")
    def state(self, client: ApiClient) -> SafeString:
        badge, label = "succeeded", gettext("valid")
        if client.revoked_at is not None:
            badge, label = "failed", gettext("revoked")
        return format_html('<span class="staff-badge-{}">{}</span>', badge, label)
