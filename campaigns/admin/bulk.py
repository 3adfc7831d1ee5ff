"""Actions on several rows of a list: a page shows the rows and what will happen, then asks.

The rows that were shown are acted on, and no others, even if the list has changed since.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import (
    display_for_field,
    display_for_value,
    label_for_field,
    lookup_field,
)
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.formats import number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

CONFIRMED = "confirmed"
MOST_AT_ONCE = 500  # Django reads no form of more than a thousand fields
ROWS_SHOWN = 20
COLUMNS_SHOWN = 4

# What each action does to every row, by its name.
EFFECTS = {
    "adopt": _("Their buyers become members here, and count if the campaign was running."),
    "hide_banners": _("Their banners disappear from articles within a minute."),
    "hide_from_wall": _("They leave the campaign page within a minute. You can show them again."),
    "leave_out": _("They leave “Needs attention”. Nothing changes at Stripe."),
    "mark_dealt_with": _("They leave “Needs attention”. Nothing else changes."),
    "publish_now": _("Their banners are published again, with the current count."),
    "recount": _("Everything that counts is counted again. This can take a few minutes."),
    "replay": _("Their objects are fetched from Stripe again and applied."),
    "resend": _("Each is sent again, to the address that the person has now."),
    "retry": _("The jobs try these rows again now."),
    "run_now": _("The jobs run now instead of at their scheduled time."),
    "send_to_stripe": _("Prices that Stripe doesn’t have yet are created there."),
    "settle": _("We ask Stripe for the outcome of each, at most 25 at a time."),
    "show_banners": _("Their banners appear in articles again within a minute."),
    "show_on_wall": _("They appear on the campaign page within a minute, as they are here."),
    "sync_now": _("We ask Ghost about each, and change what differs there."),
    "unsubscribe": _(
        "They get no more issues. They can subscribe again, but you can’t do it for them."
    ),
}

Action = Callable[[Any, HttpRequest, QuerySet[Any]], HttpResponse | None]


def ask_before(action: Action, name: str, label: str) -> Action:
    """Return the action with the page before it; a single row needs none."""

    def run(
        pages: admin.ModelAdmin[Any], request: HttpRequest, rows: QuerySet[Any]
    ) -> HttpResponse | None:
        if CONFIRMED in request.POST:
            return action(pages, request, rows)
        keys = list(rows.values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
        if len(keys) < 2:
            return action(pages, request, rows.model._default_manager.filter(pk__in=keys))
        if len(keys) > MOST_AT_ONCE:
            words = gettext(
                "Nothing was changed: you selected more than %(most)s rows. Filter the "
                "list and select fewer."
            )
            most = number_format(MOST_AT_ONCE, force_grouping=True)
            pages.message_user(request, words % {"most": most}, messages.WARNING)
            return HttpResponseRedirect(request.get_full_path())
        return _show_preview(pages, request, keys, name=name, label=label)

    return run


def _show_preview(
    pages: admin.ModelAdmin[Any],
    request: HttpRequest,
    keys: Sequence[Any],
    *,
    name: str,
    label: str,
) -> HttpResponse:
    shown = pages.get_queryset(request).filter(pk__in=keys[:ROWS_SHOWN])
    related = pages.get_list_select_related(request)
    if related and not isinstance(related, bool):
        shown = shown.select_related(*related)
    columns = [each for each in pages.get_list_display(request) if each != "action_checkbox"]
    columns = columns[:COLUMNS_SHOWN]
    context = {
        **pages.admin_site.each_context(request),
        "title": label,
        "opts": pages.opts,
        "effect": EFFECTS.get(name, ""),
        "headings": [label_for_field(each, pages.model, pages) for each in columns],
        "rows": [[_show_cell(pages, row, each) for each in columns] for row in shown],
        "number": len(keys),
        "more": len(keys) - min(len(keys), ROWS_SHOWN),
        "keys": keys,
        "key_name": ACTION_CHECKBOX_NAME,
        "action": name,
    }
    return TemplateResponse(request, "campaigns/staff/bulk.html", context)


def _show_cell(pages: admin.ModelAdmin[Any], row: Any, column: Any) -> Any:
    field, _attribute, value = lookup_field(column, row, pages)
    if field is None:
        return display_for_value(value, "-", boolean=False)
    return display_for_field(value, field, "-")
