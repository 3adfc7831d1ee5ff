"""Emptying the database after a test that commits, ten times faster than Django's flush.

Django empties every table and creates content types and permissions again. This deletes only rows
of tables that aren't empty, and keeps those two, because no test changes them.
"""

from functools import cache

from django.db import connection, transaction

KEPT = {"django_content_type", "auth_permission"}


@cache
def _tables() -> list[str]:
    return sorted(set(connection.introspection.django_table_names(only_existing=True)) - KEPT)


def empty_tables(*_: object) -> None:
    """Delete all rows. Replaces `TransactionTestCase._fixture_teardown`."""
    quoted = {table: connection.ops.quote_name(table) for table in _tables()}
    queries = [f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {quoted[table]})" for table in quoted]  # noqa: S608
    # In one transaction, because the database checks references when it ends.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(queries))
        for (table,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {quoted[table]}")  # noqa: S608
