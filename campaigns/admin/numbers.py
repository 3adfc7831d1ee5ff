"""Numbers of rows below a form, as staff read them who may not change them.

The forms of these rows write amounts as money. Without a form, Django shows minor units.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from campaigns.admin.columns import describe_column


class NumbersInWords(admin.StackedInline[Any, Any]):
    # Fields with numbers or lists of them. Amounts say their currency.
    numbers: tuple[str, ...] = ()
    needless = "currency"

    @staticmethod
    def write_number(row: Any, number: int) -> str:
        """Return a number of the row with its unit."""
        raise NotImplementedError

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_fields(request, obj)
        is_editable = self.has_change_permission(request, obj)
        return fields if is_editable else [self._choose(each) for each in fields]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        given = super().get_readonly_fields(request, obj)
        is_editable = self.has_change_permission(request, obj)
        return given if is_editable else [*given, *map(self._choose, self.numbers)]

    def _choose(self, field: Any) -> Any:
        if isinstance(field, tuple):
            return tuple(self._choose(each) for each in field if each != self.needless)
        return _make_column(type(self), field) if field in self.numbers else field


@cache
def _make_column(rows: type[NumbersInWords], name: str) -> Callable[[Any], str]:
    def show(row: Any) -> str:
        value = getattr(row, name)
        numbers = value if isinstance(value, list) else [value]
        found = [rows.write_number(row, each) for each in numbers if each is not None]
        return ", ".join(found) or "-"

    return describe_column(show, rows.model, name)
