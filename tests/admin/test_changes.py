"""The history writes values as staff read them: money, days, answers and names."""

from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import User
from django.db.models import Model

from campaigns import history
from campaigns.admin.changes import list_changes
from campaigns.models import Goal, Price, WebhookEndpoint
from tests.support.factories import at, make_campaign, make_member, make_payment, make_price

pytestmark = pytest.mark.django_db


def change(row: Any, **values: Any) -> dict[str, tuple[str, str]]:
    """Change a row as staff do; return each field with its words before and after."""
    user = User.objects.create_superuser("editor")
    with history.changes_by(user):
        for name, value in values.items():
            setattr(row, name, value)
        row.save()
    entry = LogEntry.objects.get_for_object(row).latest("pk")
    return {each.field: (each.before, each.after) for each in list_changes(entry)}


def price() -> Model:
    return make_price()


def campaign() -> Model:
    return make_campaign()


def payment() -> Model:
    return make_payment(make_member("ada@example.org"), make_campaign(), "2026-11-10 12:00")


def money_goal() -> Model:
    return Goal.objects.create(campaign=make_campaign(), kind="money", target=100000)


def endpoint() -> Model:
    return WebhookEndpoint.objects.create(
        name="CRM", url="https://crm.example.org/", events=["member.joined"]
    )


@pytest.mark.parametrize(
    ("make", "name", "value", "words"),
    [
        (price, "amount_minor", 6100, ("Amount", "€60", "€61")),
        (price, "suggested_minor", [7000, 9000], ("Other suggested amounts", "", "€70, €90")),
        (price, "is_active", False, ("On sale", "Yes", "No")),
        (price, "kind", "month", ("Kind", "every year", "every month")),
        (campaign, "currency", "usd", ("Currency", "EUR", "USD")),
        (campaign, "supporters_before", 13000, ("Earlier supporters", "12,000", "13,000")),
        (
            *(campaign, "ends_at", at("2026-12-02 00:00")),
            ("Ends at", "1 Dec 2026, 00:00", "2 Dec 2026, 00:00"),
        ),
        (payment, "campaign", None, ("Campaign", "Third birthday", "")),
        (money_goal, "target", 200000, ("Target", "€1,000", "€2,000")),
        (
            *(endpoint, "events", ["member.joined", "member.ended"]),
            ("Events", "member.joined", "member.joined, member.ended"),
        ),
    ],
    ids=lambda each: each if isinstance(each, str) else getattr(each, "__name__", ""),
)
def test_values_are_written_in_words(
    make: Any, name: str, value: object, words: tuple[str, str, str]
) -> None:
    label, *before_and_after = words
    changes = {field.lower(): both for field, both in change(make(), **{name: value}).items()}
    assert changes == {label.lower(): tuple(before_and_after)}


def test_other_line_breaks_alone_are_no_change() -> None:
    """A browser sends "\r\n" for the "\n" of a text that came from a file."""
    copy = make_campaign().copies.get()
    changed = change(copy, story=copy.story.replace("\n", "\r\n"), headline="Other")
    assert changed.keys() == {"Headline"}


def test_what_a_row_had_before_is_written_after_it_is_gone() -> None:
    row = Price.objects.get(pk=make_price().pk)
    change(row, amount_minor=6100)
    entry = LogEntry.objects.latest("pk")
    Price.objects.all().delete()
    assert [(each.before, each.after) for each in list_changes(entry)] == [("6,000", "6,100")]
    entry.changes = {"a_field_of_an_earlier_version": ["a", "b"]}
    assert [each.field for each in list_changes(entry)] == ["A field of an earlier version"]
