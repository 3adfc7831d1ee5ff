"""Migrations that the release before works with: a web server of it runs while they are made."""

from importlib import import_module
from pathlib import Path

import pytest
from django.db import models
from django.db.migrations import operations

import campaigns.migrations

pytestmark = pytest.mark.once

# Earlier ones were made before anybody used the application.
FIRST = "0009"
BREAKING = (
    operations.RemoveField,
    operations.RenameField,
    operations.DeleteModel,
    operations.RenameModel,
    operations.AlterModelTable,
)


def read_operations(name: str) -> list[operations.base.Operation]:
    """Return a migration's operations, with those of the database inside them."""
    found: list[operations.base.Operation] = []
    for operation in import_module(f"campaigns.migrations.{name}").Migration.operations:
        if isinstance(operation, operations.SeparateDatabaseAndState):
            found += operation.database_operations
        else:
            found.append(operation)
    return found


def is_breaking(operation: operations.base.Operation) -> bool:
    """Return whether the release before fails after this operation.

    It doesn't know a new column, so it inserts rows without a value for it.
    """
    if isinstance(operation, operations.AddField):
        field = operation.field
        needs_value = not field.null and field.db_default is models.NOT_PROVIDED
        return needs_value and not isinstance(field, models.ManyToManyField)
    return isinstance(operation, BREAKING)


def test_new_migrations_leave_the_release_before_working() -> None:
    folder = Path(campaigns.migrations.__file__).parent
    names = sorted(path.stem for path in folder.glob("0*.py") if path.stem >= FIRST)
    breaking = {
        name: [
            operation.describe() for operation in read_operations(name) if is_breaking(operation)
        ]
        for name in names
    }
    assert {name: found for name, found in breaking.items() if found} == {}


@pytest.mark.parametrize(
    ("operation", "breaks"),
    [
        (operations.RemoveField("gift", "message"), True),
        (operations.RenameField("gift", "message", "greeting"), True),
        (operations.AddField("gift", "note", models.TextField()), True),
        (operations.AddField("gift", "note", models.TextField(default="")), True),
        (operations.AddField("gift", "note", models.TextField(db_default="")), False),
        (operations.AddField("gift", "noted_at", models.DateTimeField(null=True)), False),
    ],
    ids=lambda value: value.describe() if hasattr(value, "describe") else str(value),
)
def test_a_breaking_operation_is_found(operation: operations.base.Operation, breaks: bool) -> None:
    assert is_breaking(operation) is breaks


# From here on, the logs are too large to lock while an index is built.
FIRST_AT_SIZE = "0032"


def list_locking_indexes(found: list[operations.base.Operation]) -> list[str]:
    """Return indexes whose build stops all writing to a table that is in use."""
    new = {each.name.lower() for each in found if isinstance(each, operations.CreateModel)}
    return [
        each.describe()
        for each in found
        if type(each) is operations.AddIndex and each.model_name_lower not in new
    ]


def test_new_indexes_are_built_while_tables_are_in_use() -> None:
    folder = Path(campaigns.migrations.__file__).parent
    names = sorted(path.stem for path in folder.glob("0*.py") if path.stem >= FIRST_AT_SIZE)
    locking = {name: list_locking_indexes(read_operations(name)) for name in names}
    assert {name: found for name, found in locking.items() if found} == {}


def test_an_index_that_locks_its_table_is_found() -> None:
    index = models.Index(fields=["message"], name="gift_message")
    assert list_locking_indexes([operations.AddIndex("gift", index)])
    new = operations.CreateModel("Gift", fields=[])
    assert not list_locking_indexes([new, operations.AddIndex("gift", index)])
