"""Signing in to the admin: who may, and limits on wrong passwords and codes.

The pages are django-allauth's. Its own limits are off, because they need a cache that all processes
share; ours are counted in the database. Anyone can use up the limit of a name, so a known browser
has a limit of its own. Attempts are counted before a password is hashed, as that takes a third of a
second of a processor.
"""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import ChangePasswordForm, LoginForm, ReauthenticateForm
from allauth.account.internal.flows.login import record_authentication
from allauth.account.views import login
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as CodeForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.forms.utils import ErrorDict
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns.admin.browsers import find_known_browser, remember_browser
from campaigns.admin.identity import is_confirmed
from campaigns.attempts import count_attempt, find_network, is_first_within

SECONDS = 600
TIMES_BY_NETWORK = 20  # an office is one address
TIMES_BY_NAME = 10
TIMES_BY_CODE = 5  # a code has only six digits
CODE_SECONDS = 90  # a code is accepted for 30 seconds, and for 30 before and after
REFUSED = "too_many_login_attempts"  # allauth's code of this error
_TOO_MANY = _("Too many attempts to sign in. Wait ten minutes and try again.")


def show_login(request: HttpRequest) -> HttpResponse:
    """Show the sign-in page; answer 429 beyond a limit, and 403 to users who aren't staff."""
    if request.user.is_authenticated and not request.user.is_staff:
        raise PermissionDenied
    response: HttpResponse = login(request)
    form = (getattr(response, "context_data", None) or {}).get("form")
    if form is not None and _is_refused(form.errors):
        response.status_code = 429
        response["Retry-After"] = str(SECONDS)
    return response


def _is_refused(errors: ErrorDict) -> bool:
    return any(error.code == REFUSED for each in errors.as_data().values() for error in each)


def may_try_password(request: HttpRequest, name: str) -> bool:
    """Count an attempt, and return whether it is within the limits."""
    if browser := find_known_browser(request, name):
        return count_attempt(f"login:browser:{browser}", seconds=SECONDS) <= TIMES_BY_NAME
    by_network = count_attempt(f"login:network:{find_network(request)}", seconds=SECONDS)
    if by_network > TIMES_BY_NETWORK:
        return False  # not counted for the name: others could then use up the limits of all names
    return count_attempt(f"login:name:{name.casefold()}", seconds=SECONDS) <= TIMES_BY_NAME


def may_try_code(request: HttpRequest, user: User) -> bool:
    """Count a code of the second factor, and return whether it is within the limits."""
    browser = find_known_browser(request, user.get_username())
    name = f"code:browser:{browser}" if browser else f"code:user:{user.pk}"
    return count_attempt(name, seconds=SECONDS) <= TIMES_BY_CODE


class AccountAdapter(DefaultAccountAdapter):
    """Closes everything but signing in, changing the own password, second factors and sessions."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": _("The user name or the password is wrong."),
        "enter_current_password": _("This isn’t your current password."),
        "incorrect_password": _("This isn’t your password."),
        "incorrect_code": _("This code is wrong or was already used. Enter the latest one."),
        REFUSED: _TOO_MANY,
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        if not may_try_password(request, credentials["username"]):
            raise self.validation_error(REFUSED)

    def _rollback_login_failed_rl_usage(self) -> None:
        """Keep the count: allauth's limit, which this would undo, is off."""

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        user: User | None = super().authenticate(request, **credentials)
        return user if user is not None and user.is_staff else None

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """Refuse a passkey of a user who is no longer staff."""
        if user.is_active and user.is_staff:
            return None
        words = gettext("This account can’t sign in any more. Ask an administrator.")
        messages.error(request, words)
        return HttpResponseRedirect(reverse("account_login"))

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **kwargs)
        remember_browser(request, response, user)
        return response

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address for the list of sessions. A Unix socket has none."""
        return request.META.get("REMOTE_ADDR") or "0.0.0.0"  # noqa: S104

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("admin:index")

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        return not is_confirmed(context.request)

    def get_reauthentication_methods(self, user: User | AnonymousUser) -> list[dict[str, Any]]:
        """Accept only the second factor once there is one."""
        labels: dict[str, Promise] = {
            "reauthenticate": _("Use your password"),
            "mfa_reauthenticate": _("Use a code"),
            "mfa_reauthenticate:webauthn": _("Use a passkey"),
        }
        found = [
            method | {"description": labels[method["id"]]}
            for method in super().get_reauthentication_methods(user)
        ]
        return [method for method in found if method["id"] != "reauthenticate"] or found


class SecondFactorAdapter(DefaultMFAAdapter):
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": AccountAdapter.error_messages["incorrect_code"],
    }

    def get_totp_label(self, user: User) -> str:
        return str(user.get_username())

    def get_totp_issuer(self) -> str:
        return str(settings.NEWSROOM_NAME)

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return gettext("Passkey %(number)d") % {"number": number}


def _label(form: forms.Form, **labels: str) -> None:
    """Label the fields; allauth repeats its labels inside the fields, which hides them."""
    for name, field in form.fields.items():
        field.widget.attrs.pop("placeholder", None)
        field.label = labels.get(name, field.label)


class StaffLoginForm(LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _label(self, login=gettext("User name"), password=gettext("Password"))


class StaffPasswordForm(ChangePasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _label(
            self,
            oldpassword=gettext("Current password"),
            password1=gettext("New password"),
            password2=gettext("New password again"),
        )

    def clean_oldpassword(self) -> str:
        """Check it within the limits of signing in."""
        password: str = self.cleaned_data["oldpassword"]
        adapter = AccountAdapter(context.request)
        if not adapter.reauthenticate(self.user, password):
            raise adapter.validation_error("enter_current_password")
        return password


class StaffReauthenticateForm(ReauthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _label(self, password=gettext("Password"))


class _LimitedCode(forms.Form):
    user: User

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _label(self, code=gettext("Code"))
        self.fields["code"].widget.attrs["inputmode"] = "numeric"

    def clean_code(self) -> str:
        if not may_try_code(context.request, self.user):
            raise forms.ValidationError(_TOO_MANY, code=REFUSED)
        return str(super().clean_code())  # type: ignore[misc]


class _SingleUseCode(_LimitedCode):
    def clean_code(self) -> str:
        """Refuse a code that was used, in whichever process."""
        code = super().clean_code()
        if not is_first_within(CODE_SECONDS, name=f"code:{self.user.pk}:{code}"):
            raise SecondFactorAdapter().validation_error("incorrect_code")
        return code


class StaffCodeForm(_SingleUseCode, AuthenticateForm):
    pass


class StaffReauthenticateCodeForm(_SingleUseCode, CodeForm):
    pass


class StaffAppForm(_LimitedCode, ActivateTOTPForm):
    def clean_code(self) -> str:
        """Count the first code of an app as a use of the second factor."""
        code = super().clean_code()
        record_authentication(context.request, self.user, method="mfa")
        return code


class StaffPasskeyForm(AddWebAuthnForm):
    """Makes a passkey that signs in alone, or one that only confirms the password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _label(self, name=gettext("Name"), passwordless=gettext("Allow sign-in without a password"))
        self.fields["passwordless"].help_text = gettext(
            "Your device then asks for your fingerprint, your face or its PIN."
        )

    def clean(self) -> dict[str, Any]:
        """Count the making of a passkey as a use of the second factor."""
        cleaned: dict[str, Any] = super().clean()
        if not self.errors:
            record_authentication(context.request, self.user, method="mfa")
        return cleaned


class StaffPasskeyNameForm(EditWebAuthnForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _label(self, name=gettext("Name"))
