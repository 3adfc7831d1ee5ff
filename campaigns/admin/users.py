"""Accounts of staff: what they may do, and the second factor of someone who lost it."""

from typing import Any

# These three register the pages that are removed here.
import allauth.account.admin
import allauth.mfa.admin
import allauth.usersessions.admin  # noqa: F401
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters

from campaigns import actions
from campaigns.admin.columns import write_answer
from campaigns.admin.forms import StaffForm, WhyForm
from campaigns.admin.identity import confirm_identity, is_confirmed
from campaigns.admin.lists import filter_by_known
from campaigns.admin.pages import ActionPages, Done, NotDone, Page

# Roles are made by migrations, and the other rows belong to users: nobody needs them by themselves.
for model in (User, Group, EmailAddress, Authenticator, UserSession):
    admin.site.unregister(model)


# What each role may do, in short; docs/roles.md has the whole table.
ROLES = {
    "report reader": _("reads reports. Sees no reader’s name or address."),
    "publisher": _("writes texts, hides and shows banners. Sees no reader’s name or address."),
    "campaign manager": _("changes campaigns and goals. Sees no reader’s name or address."),
    "supporter desk": _("helps members: memberships, gifts, e-mails, refunds and erasures."),
    "finance": _("sees members and payments, refunds, records payments and sets prices."),
    "administrator": _("may do everything, and gives others their roles."),
}


RoleFilter = filter_by_known(
    _("roles"),
    "groups",
    lambda: [(group.pk, gettext(group.name)) for group in Group.objects.order_by("name")],
)


class RolesField(forms.ModelMultipleChoiceField[Group]):
    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, obj: Group) -> str:
        role = capfirst(gettext(obj.name))
        return f"{role}: {ROLES[obj.name]}" if obj.name in ROLES else role


class PasswordForm(StaffForm, SetPasswordForm):  # type: ignore[type-arg]
    """Asks for a new password twice. An account that nobody uses is made inactive instead."""


def _show_password(pages: ActionPages, request: HttpRequest, user: User) -> HttpResponse:
    return _answer_password(request, pages, user)


@sensitive_post_parameters()
def _answer_password(request: HttpRequest, pages: ActionPages, user: User) -> HttpResponse:
    sent = request.POST if request.method == "POST" else None  # no password is ever kept
    return pages.answer_form(
        request,
        user,
        PasswordForm(user, sent, initial={"seen": actions.mark_password(user)}),
        do=lambda wanted, by: _change_password(request, user, wanted, by),
        newest=lambda: actions.mark_password(User.objects.get(pk=user.pk)),
        title=gettext("Change password"),
        explanation=gettext(
            "This user is signed out everywhere and signs in with the new password. Give it to "
            "them in person or by phone, and ask them to change it under “Your account”."
        ),
    )


def _change_password(request: HttpRequest, user: User, wanted: dict[str, Any], by: User) -> Done:
    try:
        changed = actions.change_password(user, wanted["new_password1"], seen=wanted["seen"], by=by)
    except actions.PasswordChangedMeanwhile as error:
        words = gettext(
            "Nothing was saved: this password was changed after you opened the page. To replace "
            "it, type yours again."
        )
        raise NotDone(words) from error
    if changed == by:
        update_session_auth_hash(request, changed)
    return Done(gettext("Password changed."), is_logged=False)  # the action notes it


CHANGE_PASSWORD = Page(
    name="password_change",
    path="password/",
    view=_show_password,
    permissions=("auth.change_user",),
    label=_("Change password"),
    confirms=True,
)


def _show_reset(pages: ActionPages, request: HttpRequest, user: User) -> HttpResponse:
    return pages.answer_form(
        request,
        user,
        WhyForm(request.POST or None),
        do=lambda wanted, by: _reset(user, by),
        title=gettext("Reset second factor"),
        explanation=gettext(
            "First make sure that the request really comes from this person, for example "
            "by phone. Their app, passkeys and recovery codes stop working, and all "
            "their sessions end. They set up a new second factor when they sign in with "
            "their password."
        ),
    )


def _refuse_reset(user: User) -> str:
    if Authenticator.objects.filter(user=user).exists():
        return ""
    return gettext("Nothing was changed: this user has no second factor.")


def _reset(user: User, by: User) -> Done:
    if not actions.reset_second_factor(user, by=by):
        raise NotDone(_refuse_reset(user))
    return Done(gettext("Second factor reset."), is_logged=False)  # the action notes it


RESET = Page(
    name="reset_second_factor",
    path="second-factor/",
    view=_show_reset,
    permissions=("auth.change_user",),
    label=_("Reset second factor"),
    refuse=_refuse_reset,
    is_grave=True,
    confirms=True,
)


@admin.register(User)
class StaffUserAdmin(ActionPages, UserAdmin):  # type: ignore[type-arg]
    """Every change of an account needs a recent sign-in: it may give someone a role."""

    add_label = _("Add user")
    pages = (CHANGE_PASSWORD, RESET)
    list_display = [
        *("username", "full_name", "roles", "has_second_factor", "last_login", "is_active"),
    ]
    list_filter = ["is_active", RoleFilter]
    search_help_text = _("Name, user name or e-mail address")
    ordering = ["username"]
    filter_horizontal = ()
    fieldsets = [
        (None, {"fields": ["username"]}),
        (_("Person"), {"fields": [("first_name", "last_name"), "email"]}),
        (_("Access"), {"fields": ["is_active", "groups"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["username", "password1", "password2"]}),
        (_("Access"), {"fields": ["groups"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups", "authenticator_set")

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name != "groups":
            return super().formfield_for_manytomany(db_field, request, **kwargs)
        return RolesField(Group.objects.order_by("name"), label=_("Roles"), required=False)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """Keep users from changing their own access: the last one could lock out all."""
        return ["is_active", "groups"] if obj is not None and obj == request.user else []

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Let only superusers change superusers, who are added on the server."""
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Return False: what they did is in the history. An account is made inactive instead."""
        return False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if not is_confirmed(request):
            return confirm_identity(request)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _may_open(self, request: HttpRequest, row: Any, page: Page) -> bool:
        """Let only those open a page of an account who may change it: see above."""
        return super()._may_open(request, row, page) and self.has_change_permission(request, row)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        obj.is_staff = True  # readers have no accounts
        super().save_model(request, obj, form, change)

    @admin.display(description=_("name"), ordering="last_name")
    def full_name(self, user: User) -> str:
        return user.get_full_name()

    @admin.display(description=_("roles"))
    def roles(self, user: User) -> str:
        if user.is_superuser:
            return gettext("superuser")
        return ", ".join(gettext(group.name) for group in user.groups.all())

    @admin.display(description=_("second factor"))
    def has_second_factor(self, user: Any) -> str:
        return write_answer(bool(user.authenticator_set.all()))
