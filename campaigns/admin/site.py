"""The admin's name, and the base classes and filters that its modules share."""

import json
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.helpers import InlineAdminFormSet
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns.admin.base import StaffModelAdmin, ViewOnly
from campaigns.admin.columns import choose_column, link_related
from campaigns.people import canonical_email
from campaigns.reports.search import SEARCHED, clean_search, find_wanted
from campaigns.reports.titles import with_names, write_money

admin.site.site_header = settings.NEWSROOM_NAME
admin.site.site_title = settings.NEWSROOM_NAME
admin.site.index_title = _("Membership campaigns")
admin.site.site_url = settings.SITE_URL


class AddressSearch(StaffModelAdmin):
    """Searches like the box in the header, and finds addresses in whatever spelling."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if queryset.model in SEARCHED:
            query = clean_search(search_term)
            wanted = find_wanted(query, queryset.model)
            if wanted is not None:
                return queryset.filter(wanted), False
            return (queryset.none() if query else queryset), False
        words = [canonical_email(word) if "@" in word else word for word in search_term.split()]
        return super().get_search_results(request, queryset, " ".join(words))


class ViewOnlyAdmin(ViewOnly, AddressSearch):
    """Its actions, if any, need the model's change permission."""

    # What the rows of the list are, if its name doesn't say it.
    list_note: Promise | str = ""

    def has_work_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(
            f"{self.opts.app_label}.change_{self.opts.model_name}",
        )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out what the row has no value for, and groups of which nothing is left."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return fieldsets
        filled = [
            (name, about, self._keep_filled(obj, about["fields"])) for name, about in fieldsets
        ]
        return [
            (name, {**about, "fields": self._name_related(request, fields)})
            for name, about, fields in filled
            if fields
        ]

    def _name_related(self, request: HttpRequest, names: list[Any]) -> list[Any]:
        """Show the rows that this one belongs to by their titles."""
        return [
            self._name_related(request, name)
            if isinstance(name, list)
            else link_related(self.model, name, request)
            for name in names
        ]

    def _keep_filled(self, row: Any, names: Any) -> list[Any]:
        kept: list[Any] = []
        for name in names:
            if not isinstance(name, str):
                kept += filter(None, [self._keep_filled(row, name)])
            elif self._is_filled(row, name):
                kept.append(name)
        return kept

    def _is_filled(self, row: Any, name: str) -> bool:
        compute = getattr(self, name, None)
        if callable(compute):
            return compute(row) not in {None, "", "-"}
        try:
            value = row._meta.get_field(name).value_from_object(row)
        except FieldDoesNotExist:
            return True
        return value is not False and value not in (None, "", [], {})


class ViewOnlyInline(ViewOnly, admin.TabularInline[Any, Any]):
    template = "campaigns/staff/rows.html"
    extra = 0
    can_delete = False
    show_change_link = True
    list_select_related: tuple[str, ...] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related(*self.list_select_related)
        return with_names(rows, self.list_select_related)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [choose_column(self.model, name) for name in super().get_fields(request, obj)]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [*super().get_readonly_fields(request, obj), *self.get_fields(request, obj)]


class LabelledFormSet(InlineAdminFormSet):
    """Labels the link that adds a row with the inline's `add_text`, if it has one."""

    def __init__(self, original: InlineAdminFormSet) -> None:
        self.__dict__ = vars(original)

    def inline_formset_data(self) -> str:
        data = json.loads(super().inline_formset_data())
        if add_text := getattr(self.opts, "add_text", ""):
            data["options"]["addText"] = str(add_text)
        return json.dumps(data)


class LabelledInlines(StaffModelAdmin):
    def get_inline_formsets(self, *args: Any, **kwargs: Any) -> list[Any]:
        return [LabelledFormSet(rows) for rows in super().get_inline_formsets(*args, **kwargs)]


class KnownLanguages(admin.StackedInline[Any, Any]):
    """Leaves out the texts of languages that LANGUAGES no longer lists; their rows stay."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(language__in=dict(settings.LANGUAGES))


def yes_or_no(label: Any) -> type[admin.EmptyFieldListFilter]:
    """Return a list filter for whether a field has a value."""

    class YesOrNo(admin.EmptyFieldListFilter):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.title = label

        def choices(self, changelist: ChangeList) -> Iterator[Any]:
            labels = (gettext("All"), gettext("No"), gettext("Yes"))  # in Django's order
            for choice, display in zip(super().choices(changelist), labels, strict=True):
                yield {**choice, "display": display}

    return YesOrNo


def staff_money(minor: int, currency: str) -> str:
    """Return an amount in the notation of the current language."""
    return write_money(minor, currency)


@admin.display(description=_("amount"), ordering="amount_minor")
def amount(row: Model) -> str:
    """Show the amount of any row that has one, as a column."""
    return staff_money(row.amount_minor, row.currency)  # type: ignore[attr-defined]
