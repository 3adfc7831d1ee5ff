"""Quarters of an hour, by which rows are grouped before they are shifted into a zone.

The offsets of all zones are multiples of a quarter, so that each belongs to one hour and one day of
any zone. Shifting the time of each row in the database takes twice as long.
"""

from typing import Any

from django.db.models import DateTimeField, Func
from django.db.models.sql.compiler import SQLCompiler


class Quarter(Func):
    """The start of the quarter of an hour that a time is in, in UTC."""

    output_field: DateTimeField[Any, Any] = DateTimeField()
    arity = 1

    def as_postgresql(self, compiler: SQLCompiler, connection: Any, **context: Any) -> Any:
        template = "date_bin('15 minutes', %(expressions)s, 'epoch')"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **context: Any) -> Any:
        seconds = "CAST(strftime('%%%%s', %(expressions)s) AS INTEGER)"
        template = f"datetime({seconds} / 900 * 900, 'unixepoch')"
        return self.as_sql(compiler, connection, template=template, **context)
