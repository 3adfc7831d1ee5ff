"""The filter of a list by the rows behind a figure of the report."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from campaigns.reports.figure_rows import UnknownFigure, read_figure
from campaigns.reports.links import FIGURE


class FigureFilter(admin.SimpleListFilter):
    """The rows behind a figure, by which its number links here."""

    title = _("figure of the report")
    parameter_name = FIGURE

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, str]]:
        """Offer only the figure that is shown: the report has the others."""
        shown = request.GET.get(self.parameter_name, "")
        try:
            return [(shown, str(read_figure(shown).label))] if shown else []
        except UnknownFigure as error:
            raise IncorrectLookupParameters from error

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        shown = self.value()
        if not shown:
            return queryset
        try:
            figure = read_figure(shown)
            if figure.model is not queryset.model:
                raise UnknownFigure(shown)
            return queryset.filter(pk__in=figure.select())
        except UnknownFigure as error:
            raise IncorrectLookupParameters from error
