"""Indexes of webhooks, made and dropped while the application is in use."""

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState

AddIndexLive = import_module("campaigns.migrations.0032_lists_at_size").AddIndexLive


class DropKeyIndexLive(migrations.AlterField):
    """Drops the index of a foreign key. The key itself stays, without a lock to check it again."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        live = "CONCURRENTLY" if schema_editor.connection.vendor == "postgresql" else ""
        for name in self._find_indexes(app_label, schema_editor, to_state):
            schema_editor.execute(f'DROP INDEX {live} IF EXISTS "{name}"')

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        super().database_forwards(app_label, schema_editor, from_state, to_state)

    def _find_indexes(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, state: ProjectState
    ) -> list[str]:
        model = state.apps.get_model(app_label, self.model_name)
        column = model._meta.get_field(self.name).column
        connection = schema_editor.connection
        with connection.cursor() as cursor:
            found = connection.introspection.get_constraints(cursor, model._meta.db_table)
        return [
            name
            for name, facts in found.items()
            if facts["index"] and not facts["unique"] and facts["columns"] == [column]
        ]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("campaigns", "0039_plainer_labels")]

    operations = [
        AddIndexLive(
            model_name="outgoingevent",
            index=models.Index(
                condition=models.Q(("subscriber", ""), _negated=True),
                fields=["subscriber"],
                name="outgoing_event_of_subscriber",
            ),
        ),
        AddIndexLive(
            model_name="outgoingevent",
            index=models.Index(
                condition=models.Q(("is_farewell", True)),
                fields=["happened_at"],
                name="outgoing_event_farewell",
            ),
        ),
        AddIndexLive(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(
                    ("due_at__isnull", False), models.Q(("subscriber", ""), _negated=True)
                ),
                fields=["endpoint", "subscriber", "id"],
                name="webhook_delivery_subscriber",
            ),
        ),
        DropKeyIndexLive(
            model_name="webhookdelivery",
            name="endpoint",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="deliveries",
                to="campaigns.webhookendpoint",
                verbose_name="endpoint",
            ),
        ),
    ]
