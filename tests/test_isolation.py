"""Isolation of tests: a fixed date, an empty database and a fresh sandbox."""

import time

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.utils import timezone

from campaigns.models import Campaign, Gift, Price
from newsroom.sandbox.control import SandboxControl
from tests.conftest import TODAY
from tests.support.database import KEPT, empty_tables
from tests.support.factories import at, make_campaign, make_gift, make_member, record_claim

pytestmark = pytest.mark.both_databases


def count_rows() -> dict[str, int]:
    counts = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.django_table_names(only_existing=True):
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608
            counts[table] = cursor.fetchone()[0]
    return counts


def test_we_and_the_sandbox_have_the_same_fixed_date(
    sandbox: SandboxControl,
) -> None:
    assert abs(time.time() - TODAY) < 60
    assert abs(sandbox.now() - TODAY) < 60
    with time_machine.travel(at("2031-01-01 12:00")):
        assert timezone.now().year == 2031
    assert timezone.now().date().isoformat() == "2026-11-24"


@pytest.mark.django_db(transaction=True)
def test_rows_of_a_test_are_deleted_but_not_djangos_own() -> None:
    kept = {model: model.objects.count() for model in (ContentType, Permission)}
    assert min(kept.values()) > 20
    record_claim(
        make_gift(make_member(), make_campaign(), "2026-11-10 12:00"), make_member(), "2026-11-11"
    )
    editor = User.objects.create_user("editor")
    editor.user_permissions.add(Permission.objects.latest("pk"))
    assert sum(1 for rows in count_rows().values() if rows) > len(KEPT) + 8
    empty_tables()
    assert {table for table, rows in count_rows().items() if rows} == KEPT
    assert {model: model.objects.count() for model in kept} == kept


@pytest.mark.parametrize("turn", ["set up", "restored"])
def test_the_campaigns_prices_exist_at_the_sandbox(
    campaign: Campaign, sandbox: SandboxControl, turn: str
) -> None:
    created = {event["data"]["object"]["id"] for event in sandbox.events("price.created")}
    assert created == set(Price.objects.values_list("stripe_price_id", flat=True))
    assert len(created) == 4
    assert len(sandbox.events("product.created")) == 1
    assert not Gift.objects.exists()
