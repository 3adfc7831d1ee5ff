"""Lists of any size: pages that never count all rows, and a filter by days.

A page continues after the last row of the one before it (keyset), as long as the list is ordered by
fields that every row has. Ordered by another column, the list ends after MOST_PAGES.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.filters import FieldListFilter, RelatedFieldListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.paginator import Paginator
from django.db.models import Exists, Model, OuterRef, Q, QuerySet, prefetch_related_objects
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign, Plan, Price
from campaigns.reports.titles import name_row, with_names

AFTER, BEFORE, PAGE, COUNT = "after", "before", "page", "count"
MOST_PAGES = 100
FIRST_DAY, LAST_DAY = "from", "until"


def count_up_to(rows: QuerySet[Any], most: int = 10_000) -> str:
    """Return how many rows there are, or "over 10,000" after having read so many."""
    number = rows.order_by()[: most + 1].values("pk").count()
    words = str(number_format(min(number, most), force_grouping=True))
    return gettext("over %(number)s") % {"number": words} if number > most else words


class StaffChangeList(ChangeList):
    """Shows one page and whether there are more. Counts the rows only when asked to."""

    newer_query: str | None = None
    older_query: str | None = None
    count_query: str | None = None
    row_count: int | None = None
    is_cut = False

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet[Any]:
        for name in (AFTER, BEFORE, PAGE, COUNT):
            self.params.pop(name, None)
            self.filter_params.pop(name, None)
        rows = super().get_queryset(request, exclude_parameters)
        paths = self.list_select_related
        return rows if isinstance(paths, bool) else with_names(rows, paths)

    def get_ordering_field(self, field_name: Any) -> Any:
        """Return None for a column that the list can't be sorted by, whatever the URL says."""
        if field_name not in (self.sortable_by or ()):
            return None
        return super().get_ordering_field(field_name)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """Order equal rows in the direction of the chosen column: one index has both orders."""
        order = list(dict.fromkeys(super().get_ordering(request, queryset)))
        if not self.params.get(ORDER_VAR) or not order or str(order[0]).startswith("-"):
            return order
        usual = [str(each) for each in queryset.query.order_by]
        chosen = order[: len(order) - len(usual)]
        is_reversed = chosen and all(each.startswith("-") for each in usual)
        return [*chosen, *(each[1:] for each in usual)] if is_reversed else order

    def get_results(self, request: HttpRequest) -> None:
        order = read_order(self.queryset)
        found = self._follow(request, order) if order else self._turn_pages(request)
        prefetch_related_objects(found, *getattr(self.model_admin, "list_prefetch_related", ()))
        self.result_list = found
        is_whole = self.newer_query is None and self.older_query is None
        self.row_count = len(found) if is_whole else None
        if not is_whole and COUNT in request.GET:
            self.row_count = self.queryset.order_by().count()
        elif not is_whole:
            self.count_query = self.get_query_string({COUNT: "1"})
        # Django asks only whether there are more rows than those on the page.
        self.result_count = len(found) + (not is_whole)
        self.full_result_count = None
        self.show_full_result_count = False
        self.show_admin_actions = bool(found)
        self.can_show_all = self.multi_page = False
        # The templates of Django ask for a paginator; one page of it is what is shown.
        self.paginator = Paginator(found, self.list_per_page)

    def _follow(self, request: HttpRequest, order: list[tuple[str, bool]]) -> list[Any]:
        """Return the rows after or before the row in the URL; without one, the first rows."""
        size = self.list_per_page
        after = self._find_row(request.GET.get(AFTER))
        before = self._find_row(request.GET.get(BEFORE)) if after is None else None
        if before is not None:
            rows = self.queryset.filter(is_beyond(before, order, backwards=True)).reverse()
            found = list(rows[: size + 1])
            has_newer, has_older = len(found) > size, True
            found = found[:size][::-1]
        else:
            rows = self.queryset
            if after is not None:
                rows = rows.filter(is_beyond(after, order))
            found = list(rows[: size + 1])
            has_newer, has_older = after is not None, len(found) > size
            found = found[:size]
        if found and has_newer:
            self.newer_query = self.get_query_string({BEFORE: found[0].pk})
        elif has_newer:
            self.newer_query = self.get_query_string()
        if found and has_older:
            self.older_query = self.get_query_string({AFTER: found[-1].pk})
        return found

    def _turn_pages(self, request: HttpRequest) -> list[Any]:
        number = request.GET.get(PAGE, "1")
        is_number = number.isdecimal() and len(number) <= 9
        page = min(max(int(number), 1), MOST_PAGES) if is_number else 1
        start = (page - 1) * self.list_per_page
        found = list(self.queryset[start : start + self.list_per_page + 1])
        has_more = len(found) > self.list_per_page
        self.is_cut = has_more and page == MOST_PAGES
        if page > 1:
            self.newer_query = self.get_query_string({PAGE: page - 1})
        if has_more and not self.is_cut:
            self.older_query = self.get_query_string({PAGE: page + 1})
        return found[: self.list_per_page]

    def _find_row(self, key: str | None) -> Model | None:
        if not key:
            return None
        try:
            row: Model | None = self.model._default_manager.filter(pk=key).first()
        except (ValueError, ValidationError, OverflowError) as error:
            raise IncorrectLookupParameters(error) from error
        return row


def read_order(rows: QuerySet[Any]) -> list[tuple[str, bool]]:
    """Return the fields of the order, each with whether it descends.

    Empty if one of them may have no value, or isn't a field of the model's own table.
    """
    order = []
    for each in rows.query.order_by:
        if not isinstance(each, str):
            return []
        name = each.removeprefix("-")
        if name == "pk":
            name = rows.model._meta.pk.name
        try:
            field = rows.model._meta.get_field(name)
        except FieldDoesNotExist:
            return []
        if not field.concrete or field.is_relation or field.null:
            return []
        order.append((name, each.startswith("-")))
    return order


def is_beyond(row: Any, order: list[tuple[str, bool]], *, backwards: bool = False) -> Q:
    """Return what finds the rows that come after this one; before it if `backwards`.

    The first condition, of the first field alone, is what an index can use.
    """
    beyond, equal = Q(), Q()
    for name, descends in order:
        sign = "lt" if descends != backwards else "gt"
        beyond |= equal & Q(**{f"{name}__{sign}": getattr(row, name)})
        equal &= Q(**{name: getattr(row, name)})
    first, descends = order[0]
    sign = "lte" if descends != backwards else "gte"
    return Q(**{f"{first}__{sign}": getattr(row, first)}) & beyond


class NamedFilter(RelatedFieldListFilter):
    """A filter by campaign, plan or price, with their names."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> Any:
        rows = field.related_model._default_manager.order_by(
            *self.field_admin_ordering(field, request, model_admin)
        )
        copies = "plan__copies" if field.related_model is Price else "copies"
        return [(row.pk, name_row(row)) for row in rows.prefetch_related(copies)]


FieldListFilter.register(
    lambda field: field.is_relation and field.related_model in {Campaign, Plan, Price},
    NamedFilter,
    take_priority=True,
)


class DayFilter(admin.ListFilter):
    """From one day until another of the newsroom, both included, by the list's `dated_by`."""

    title = _("days")
    template = "campaigns/staff/day_filter.html"
    first_name, last_name = FIRST_DAY, LAST_DAY

    def __init__(
        self,
        request: HttpRequest,
        params: dict[str, Any],
        model: type[Model],
        model_admin: admin.ModelAdmin[Any],
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.field = str(getattr(model_admin, "dated_by", ""))
        self.first = _read_day(params.pop(FIRST_DAY, None))
        self.last = _read_day(params.pop(LAST_DAY, None))
        self.other_fields: list[tuple[str, str]] = []

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return [FIRST_DAY, LAST_DAY]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Yield no choice: the template has two fields. Keep what else the URL asks for."""
        self.other_fields = [
            (name, str(value))
            for name, values in changelist.filter_params.items()
            if name not in {FIRST_DAY, LAST_DAY}
            for value in (values if isinstance(values, list) else [values])
        ]
        return iter(())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.first is not None:
            queryset = queryset.filter(**{f"{self.field}__gte": _start_of(self.first)})
        if self.last is not None:
            end = _start_of(self.last + timedelta(days=1))
            queryset = queryset.filter(**{f"{self.field}__lt": end})
        return queryset


def _read_day(values: Any) -> date | None:
    text = str(values[-1] if isinstance(values, list) else values or "")
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
        return day if 1900 < day.year < 9000 else None
    except ValueError as error:
        raise IncorrectLookupParameters(error) from error


def _start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min), timezone.get_default_timezone())


def filter_by_known(
    label: Any, name: str, list_values: Callable[[], Iterable[tuple[Any, Any]]]
) -> type[admin.SimpleListFilter]:
    """Return a filter by a field whose values are known without reading every row."""

    class KnownValues(admin.SimpleListFilter):
        title = label
        parameter_name = name

        def lookups(
            self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
        ) -> list[tuple[str, str]]:
            return [(str(value), str(words)) for value, words in list_values()]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            if not self.value():
                return queryset
            try:
                return queryset.filter(**{name: self.value()})
            except (ValueError, ValidationError) as error:
                raise IncorrectLookupParameters(error) from error

    return KnownValues


def filter_by_related(
    label: Any, name: str, *, values: Iterable[tuple[str, Any]], rows: QuerySet[Any]
) -> type[admin.SimpleListFilter]:
    """Return a filter by a value that a row of `rows` has, which refers to the list's row.

    `name` is "<field that refers>.<field of the value>". Such rows are looked up one by one until a
    page is full, where Django would read all of them first.
    """
    key, field = name.split(".")

    class RelatedValues(admin.SimpleListFilter):
        title = label
        parameter_name = f"{rows.model._meta.model_name}_{field}"

        def lookups(
            self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
        ) -> list[tuple[str, str]]:
            return [(value, str(words)) for value, words in values]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            if not self.value():
                return queryset
            found = rows.filter(**{key: OuterRef("pk"), field: self.value()})
            return queryset.filter(Exists(found))

    return RelatedValues
