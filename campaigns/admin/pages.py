"""Action pages: extra pages below a row's own, and the panel that links to them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.contrib import messages
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Model, UUIDField
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString

from campaigns import history
from campaigns.admin.forms import StaffForm
from campaigns.admin.identity import confirm_identity, is_confirmed
from campaigns.admin.site import AddressSearch
from campaigns.reports.titles import name_for


class NotDone(Exception):
    """Nothing was done; the message says why, for example after a second click."""


class Done(NamedTuple):
    """The message for staff, and the entry in the row's history (the message if it is empty)."""

    words: str
    level: int = messages.SUCCESS
    entry: str = ""
    is_logged: bool = True


class Link(NamedTuple):
    label: str
    url: str
    is_grave: bool = False


class Panel(NamedTuple):
    """The panel above a row's fields: its state, notices, and links to its action pages."""

    state: str
    notices: list[tuple[str, Link | None]]
    links: list[Link]


def _never(row: Any) -> str:
    return ""


@dataclass(frozen=True)
class Page:
    """One page below a row's own, at `<id>/<path>`.

    Users with all `permissions` may open it. `refuse` returns why the row's present state forbids
    it, or an empty string; staff then read the reason on the row's page. A page with a `label` is
    linked in the row's panel unless its state forbids it.
    """

    name: str
    path: str
    view: Callable[..., HttpResponseBase]
    permissions: tuple[str, ...] = ()
    label: Promise | str = ""
    refuse: Callable[[Any], str] = _never
    is_grave: bool = False
    confirms: bool = False  # True: asks who is there, unless they signed in just now
    refuses_posts: bool = True  # False: its form tells what became of the first of two clicks


class ActionPages(AddressSearch):
    """Open the pages in `pages`, and link them in a panel on the row's own page."""

    change_form_template = "campaigns/staff/change_form.html"
    pages: tuple[Page, ...] = ()

    def describe_state(self, row: Any) -> str:
        """Return the first line of the panel."""
        return ""

    def list_notices(self, request: HttpRequest, row: Any) -> list[tuple[str, Link | None]]:
        """Return what needs attention, each with a link to the page that settles it."""
        return []

    def list_links(self, request: HttpRequest, row: Any) -> list[Link]:
        """Return links to pages of related rows, shown after the row's own."""
        return []

    def get_urls(self) -> list[URLPattern]:
        key = "uuid" if isinstance(self.opts.pk, UUIDField) else "int"
        extra = [
            path(
                f"<{key}:object_id>/{page.path}",
                self.admin_site.admin_view(self._open),
                {"page": page},
                name=f"{self.opts.app_label}_{self.opts.model_name}_{page.name}",
            )
            for page in self.pages
        ]
        return [*extra, *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id) if object_id else None
        context = {"panel": self._panel(request, row)} if row is not None else {}
        context |= extra_context or {}
        return super().changeform_view(request, object_id, form_url, context)

    def _panel(self, request: HttpRequest, row: Any) -> Panel:
        links = [
            Link(str(page.label), self.url_of(row, page.name), page.is_grave)
            for page in self.pages
            if page.label and self.is_offered(request, row, page.name)
        ]
        # What can't be undone comes last.
        links = sorted([*links, *self.list_links(request, row)], key=lambda link: link.is_grave)
        return Panel(self.describe_state(row), self.list_notices(request, row), links)

    def url_of(self, row: Any, name: str, *args: object) -> str:
        url = f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}"
        return reverse(url, args=[row.pk, *args])

    def may_open(self, request: HttpRequest, row: Any, name: str) -> bool:
        """Return whether this user has the permissions for a page of the row."""
        return self._may_open(request, row, self._page(name))

    def is_offered(self, request: HttpRequest, row: Any, name: str) -> bool:
        """Return whether this user may open the page, and the row's state allows it."""
        page = self._page(name)
        return self._may_open(request, row, page) and not page.refuse(row)

    def _page(self, name: str) -> Page:
        return next(page for page in self.pages if page.name == name)

    def _may_open(self, request: HttpRequest, row: Any, page: Page) -> bool:
        return self.has_view_permission(request, row) and request.user.has_perms(page.permissions)

    def _open(
        self, request: HttpRequest, object_id: object, page: Page, **more: Any
    ) -> HttpResponseBase:
        row = self.get_object(request, str(object_id))
        if not self._may_open(request, row, page):
            raise PermissionDenied
        if row is None:
            raise Http404
        if page.confirms and not is_confirmed(request):
            return confirm_identity(request)
        if (page.refuses_posts or request.method != "POST") and (refusal := page.refuse(row)):
            return self.lead_back(request, row, refusal)
        return page.view(self, request, row, **more)

    def lead_back(
        self, request: HttpRequest, row: Model, words: str, level: int = messages.WARNING
    ) -> HttpResponse:
        """Return to the row's page, which shows the message."""
        self.message_user(request, words, level)
        return HttpResponseRedirect(page_of(row))

    def answer_form(
        self,
        request: HttpRequest,
        row: Model,
        form: StaffForm,
        *,
        do: Callable[[dict[str, Any], User], Done],
        newest: Callable[[], int] = lambda: 0,
        confirms: Callable[[dict[str, Any]], bool] = lambda wanted: False,
        **texts: Any,
    ) -> HttpResponse:
        """Show the form; or do what it asks for, log it, report it and return to the row.

        `confirms` says whether staff have to confirm who they are before that.
        """
        if request.method == "POST" and form.is_valid():
            assert isinstance(request.user, User)
            if confirms(form.cleaned_data) and not is_confirmed(request):
                return confirm_identity(request)
            history.give_reason(form.cleaned_data.get("why") or form.cleaned_data.get("note", ""))
            try:
                done = do(form.cleaned_data, request.user)
            except NotDone as error:
                form.add_error(None, str(error))
                form.look_again(newest())
            else:
                if done.is_logged:
                    self.log_change(request, row, done.entry or done.words)
                return self.lead_back(request, row, done.words, done.level)
        return self.show_form(request, row, form, **texts)

    def show_form(
        self,
        request: HttpRequest,
        row: Model,
        form: StaffForm,
        *,
        title: str,
        explanation: str,
        button: str = "",
        template: str = "campaigns/staff/action.html",
        **facts: Any,
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "heading": name_for(request, row),
            "title": title,
            "explanation": explanation,
            "button": button or title,
            "form": form,
            "adminform": form.fieldset(),
            "media": self.media + form.media,
            **facts,
        }
        status = 422 if form.errors else 200
        return TemplateResponse(request, template, context, status=status)


def page_of(row: Any) -> str:
    """Return the URL of a row's own page."""
    return reverse(admin_urlname(row._meta, SafeString("change")), args=[row.pk])
