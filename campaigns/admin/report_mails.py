"""The reports that each staff user gets by e-mail: everybody sees and changes only their own."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from campaigns import digests
from campaigns.admin.base import StaffModelAdmin
from campaigns.models import ReportMail
from campaigns.zones import name_zone

FIELDS: list[str | list[str] | tuple[str, ...]]
FIELDS = ["daily", "weekly", "milestones", "hour", "language"]


def label_choices(form: type[forms.ModelForm[Any]]) -> type[forms.ModelForm[Any]]:
    """Name what a receiver can choose, and the zone of the hour."""
    zone = name_zone(
        str(timezone.get_default_timezone_name()), get_language() or "en", at=timezone.now()
    )
    texts = {
        "daily": (
            gettext("Every day"),
            gettext(
                "The previous day and the campaign’s progress. Sent only while a campaign runs."
            ),
        ),
        "weekly": (gettext("Every Monday"), gettext("The previous week.")),
        "milestones": (
            gettext("Milestones"),
            gettext(
                "Each tenth of the goal, the goal itself, three days behind an even "
                "pace, and 24 hours before the end."
            ),
        ),
        "hour": (gettext("At"), gettext("Time in %(zone)s") % {"zone": zone}),
    }
    for name, (label, help_text) in texts.items():
        if name in form.base_fields:
            form.base_fields[name].label = label
            form.base_fields[name].help_text = help_text
    return form


@admin.register(ReportMail)
class ReportMailAdmin(StaffModelAdmin):
    add_label = _("Reports by e-mail")
    fields = FIELDS

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReportMail]:
        return super().get_queryset(request).filter(user=request.user)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        return label_choices(super().get_form(request, obj, change=change, **kwargs))

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"daily": True, "milestones": True, "language": get_language()}

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: without any choice, nothing is sent."""
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Open the user's own choice."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(self._find_own_page(request))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if self.has_add_permission(request) and self.get_queryset(request).exists():
            return HttpResponseRedirect(self._find_own_page(request))
        return super().add_view(request, form_url, extra_context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        assert isinstance(request.user, User)
        context = {
            "title": gettext("Reports by e-mail"),
            "subtitle": None,
            "show_save_and_add_another": False,
            "show_save_and_continue": False,
            "address": request.user.email,
        }
        return super().changeform_view(
            request, object_id, form_url, context | (extra_context or {})
        )

    change_form_template = "campaigns/staff/report_mail.html"

    def save_model(self, request: HttpRequest, obj: ReportMail, form: Any, change: bool) -> None:
        assert isinstance(request.user, User)
        if not change:
            obj.user = request.user
        digests.schedule_receiver(obj, at=timezone.now())
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._report(request)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._report(request)

    def _report(self, request: HttpRequest) -> HttpResponse:
        self.message_user(request, gettext("Choice saved."))
        return HttpResponseRedirect(self._find_own_page(request))

    def _find_own_page(self, request: HttpRequest) -> str:
        own = self.get_queryset(request).first()
        if own is not None:
            return reverse("admin:campaigns_reportmail_change", args=[own.pk])
        return reverse("admin:campaigns_reportmail_add")
