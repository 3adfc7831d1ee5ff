"""Generated campaigns: rows as real sales would leave them, the same ones for the same seed."""

import io
from collections import Counter
from datetime import datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from campaigns.models import Campaign, Dispute, Gift, Member, Payment, Price, Refund, Tally
from campaigns.reports import gather_report
from newsroom.demo import campaign as demo_campaign
from newsroom.demo.generator import generate_campaign
from newsroom.demo.management.commands.make_demo_data import Command
from newsroom.demo.plots import Plot, plot_campaigns
from tests.support.factories import at, recount_campaign

pytestmark = pytest.mark.django_db

NOW = at("2026-11-21 10:00")


def make_plot() -> Plot:
    return plot_campaigns(3, now=NOW, zone="Europe/Kyiv")[1]


def read_tallies() -> "list[Any]":
    columns = ("member", "gift", "payment", "counted_from", "counted_until")
    return sorted(Tally.objects.values_list(*columns), key=str)


@pytest.fixture
def generated() -> Campaign:
    demo_campaign.make_plan()
    return generate_campaign(make_plot(), payments=600, now=NOW, seed=7)


def test_the_rows_count_as_the_count_rule_says(generated: Campaign) -> None:
    before = read_tallies()
    assert len(before) > 150
    recount_campaign(generated)
    assert read_tallies() == before


def test_the_rows_are_as_varied_as_real_ones(generated: Campaign) -> None:
    assert 600 <= Payment.objects.count() < 630
    assert {*Payment.objects.values_list("currency", flat=True)} == {"eur", "usd", "uah"}
    roles = Counter(Payment.objects.values_list("role", flat=True))
    assert roles["first"] > roles["gift"] > 20
    assert roles["renewal"] > 0
    assert Refund.objects.exists()
    assert {*Gift.objects.values_list("status", flat=True)} >= {"delivered", "claimed"}
    assert not Payment.objects.filter(paid_at__gt=NOW).exists()
    assert not Price.objects.exclude(currency="eur").filter(is_active=True).exists()
    assert not Dispute.objects.exclude(status=Dispute.LOST).exists()


def test_sales_have_origins_and_members_reasons_to_leave(generated: Campaign) -> None:
    """So that "What works?" and "Do they stay?" have something to show."""
    figures = gather_report(generated, at=NOW)
    known = {each.name: each for each in figures.sources.all if each.is_known}
    assert known.keys() >= {
        *("placement", "article", "referrer", "utm_source", "utm_medium", "utm_campaign"),
        *("device", "country"),
    }
    assert len(known["article"].groups) > 10
    assert {"too_expensive", "none"} <= {reason.name for reason in figures.retention.reasons}


@pytest.mark.both_databases
def test_rows_in_bulk_are_the_same_on_every_database() -> None:
    """PostgreSQL copies them; SQLite inserts them."""
    demo_campaign.make_plan()
    campaign = generate_campaign(make_plot(), payments=60, now=NOW, seed=7)
    before = read_tallies()
    recount_campaign(campaign)
    assert read_tallies() == before
    payment = Payment.objects.select_related("checkout", "member").filter(role="first")[0]
    assert payment.checkout is not None
    assert payment.checkout.typed == {}
    assert payment.checkout.member == payment.member
    # The sequences go on behind the copied rows.
    assert Member.objects.create(email="next@example.org").pk not in {payment.member_id, None}


def test_the_campaign_is_closed_and_has_figures(generated: Campaign) -> None:
    figures = gather_report(generated, at=NOW)
    assert figures.primary is not None
    assert figures.primary.is_final
    assert figures.primary.counted > 150
    assert len(figures.days) >= 14
    assert {total.currency for total in figures.money.totals} == {"eur", "usd", "uah"}


def test_the_same_seed_gives_the_same_rows() -> None:
    demo_campaign.make_plan()
    runs = []
    for _run in range(2):
        campaign = generate_campaign(make_plot(), payments=50, now=NOW, seed=7)
        payments = Payment.objects.order_by("pk").values_list(
            "paid_at", "amount_minor", "intent_id"
        )
        runs.append([list(payments), sorted(Member.objects.values_list("email", flat=True))])
        for rows in (Tally, Refund, Dispute, Gift, Payment):
            rows._default_manager.all().delete()
        for name in ("memberships", "checkouts"):
            _delete_all(name)
        Member.objects.all().delete()
        Campaign.objects.filter(pk=campaign.pk).delete()
    assert runs[0] == runs[1]


def _delete_all(name: str) -> None:
    for member in Member.objects.all():
        getattr(member, name).all().delete()


def test_the_command_fills_two_years_and_refuses_to_do_it_twice() -> None:
    out = io.StringIO()
    call_command(Command(), "--payments", "120", "--campaigns", "3", stdout=out)
    assert "Created 120 payments in 3 campaigns." in out.getvalue()
    begun = [campaign.starts_at for campaign in Campaign.objects.order_by("starts_at")]
    assert _days(begun[0], timezone.now()) > 700
    assert Campaign.objects.filter(closed_at=None).count() == 1
    with pytest.raises(CommandError, match="already has these campaigns"):
        call_command(Command(), "--payments", "120", "--campaigns", "3")


def _days(first: datetime, last: datetime) -> int:
    return (last - first).days


@pytest.mark.parametrize("typed", ["0", "-5", "many", "99999999"])
def test_a_number_that_cannot_be_made_is_refused(typed: str) -> None:
    with pytest.raises(CommandError, match="choose a number from 1 to 10,000,000"):
        call_command(Command(), f"--payments={typed}")
