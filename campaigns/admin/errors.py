"""The columns and filters of lists that show noted errors."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.utils.translation import gettext_lazy as _

from campaigns.errors import explain_error


class ErrorColumn:
    """The column `failure` for a row with the field `error`."""

    @admin.display(description=_("error"), ordering="error")
    def failure(self, row: Any) -> str:
        return explain_error(row.error)


class ErrorFilter(admin.AllValuesFieldListFilter):
    """The filter of a list by a field with errors."""

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": explain_error(str(choice["display"]))}
