"""Reports at a stable address: with a valid key alone, within limits, and without a person."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from campaigns.models import Campaign, ReportToken
from campaigns.reports.tokens import issue_token, revoke_token
from campaigns.views.reports import MOST_A_MINUTE, wrong_keys
from tests.support.factories import make_campaign, make_gift, make_member, recount_campaign
from tests.support.openapi import describe_answer, list_faults

pytestmark = pytest.mark.django_db

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "report.schema.json"
PEOPLE = ("ada@example.org", "Ada Reader", "ben@example.org", "Ben", "closer")


@pytest.fixture
def campaign() -> Campaign:
    campaign = make_campaign(closed_by="closer")
    ada = make_member("ada@example.org")
    ada.name = "Ada Reader"
    ada.save()
    make_gift(
        *(ada, campaign, "2026-11-05 10:00"),
        recipient_name="Ben",
        recipient_email="ben@example.org",
        buyer_name="Ada Reader",
    )
    recount_campaign(campaign)
    return campaign


@pytest.fixture
def reader() -> User:
    user = User.objects.create_user("reader", is_staff=True)
    user.groups.add(Group.objects.get(name="report reader"))
    return user


def make_key(user: User) -> tuple[ReportToken, str]:
    token = ReportToken(name="Sheet")
    return token, issue_token(token, user=user)


def get(client: Client, key: str, path: str = "birthday/report.json", **more: Any) -> Any:
    return client.get(f"/reports/{key}/{path}", more)


def test_a_key_opens_the_figures_and_the_days(
    client: Client, campaign: Campaign, reader: User
) -> None:
    token, key = make_key(reader)
    answer = get(client, key)
    assert answer.headers["Content-Type"] == "application/json"
    assert "no-store" in answer.headers["Cache-Control"]
    data = json.loads(answer.content)
    validator = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert validator.is_valid(data)
    assert data["goals"][0]["counted"] == 1
    days = get(client, key, "birthday/days.csv")
    assert days.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(days.content.decode())))
    assert sum(int(row["gifts"]) for row in rows) == 1
    assert not any(name in (answer.content + days.content).decode() for name in PEOPLE)
    token.refresh_from_db()
    assert token.used_at is not None


@pytest.mark.parametrize("has_header", [False, True])
def test_the_answers_are_as_the_api_description_says(
    client: Client, campaign: Campaign, reader: User, has_header: bool
) -> None:
    _token, key = make_key(reader)
    start = "/reports/{campaign}" if has_header else "/reports/{key}/{campaign}"
    headers = {"Authorization": f"Bearer {key}"} if has_header else {}

    def ask(path: str, query: str = "", *, slug: str = "birthday") -> Any:
        url = path.replace("{key}", key).replace("{campaign}", slug) + query
        answer = client.get(url, headers=headers)
        described = describe_answer(path, answer.status_code)
        kind = answer.headers["Content-Type"].partition(";")[0]
        assert kind in described.get("content", ["text/plain"])
        return answer

    figures, days = f"{start}/report.json", f"{start}/days.csv"
    for query in ("", "?from=2026-11-02&to=2026-11-08"):
        assert not list_faults(ask(figures, query).json(), path=figures)
    example = describe_answer(days)["content"]["text/csv"]["example"]
    content = ask(days).content.decode()
    assert content.splitlines()[0] == example.splitlines()[0]
    assert ask(figures, "?from=soon").status_code == 400
    assert ask(days, slug="other").status_code == 404
    for _ in range(MOST_A_MINUTE):
        last = ask(days)
    assert last.status_code == 429


def test_an_answer_that_differs_from_its_description_is_found(
    client: Client, campaign: Campaign, reader: User
) -> None:
    _token, key = make_key(reader)
    answer = get(client, key).json()
    del answer["goals"]
    assert list_faults(answer, path="/reports/{key}/{campaign}/report.json")


def test_the_key_can_be_in_a_header(client: Client, campaign: Campaign, reader: User) -> None:
    _token, key = make_key(reader)
    url = "/reports/birthday/days.csv"
    assert client.get(url, headers={"Authorization": f"Bearer {key}"}).status_code == 200
    assert client.get(url).status_code == 404
    assert client.get(url, headers={"Authorization": f"Basic {key}"}).status_code == 404


def test_only_a_hash_of_the_key_is_stored(reader: User) -> None:
    token, key = make_key(reader)
    assert len(key) >= 32
    assert key not in str(ReportToken.objects.filter(pk=token.pk).values())


def test_days_are_chosen_in_the_address(client: Client, campaign: Campaign, reader: User) -> None:
    _token, key = make_key(reader)
    chosen = {"from": "2026-11-06", "to": "2026-11-04"}  # swapped
    days = get(client, key, "birthday/days.csv", **chosen).content.decode()
    assert [row["day"] for row in csv.DictReader(io.StringIO(days))] == [
        *("2026-11-04", "2026-11-05", "2026-11-06")
    ]
    for wrong in ("soon", "2026-13-01", "9999-99-99"):
        answer = get(client, key, **{"from": wrong})
        assert answer.status_code == 400
        assert b"?from=2026-11-09" in answer.content
    assert get(client, key, **{"from": "0001-01-01", "to": "9999-12-31"}).status_code == 200
    assert get(client, key, "christmas/report.json").status_code == 404


def test_a_revoked_key_and_one_of_a_former_user_open_nothing(
    client: Client, campaign: Campaign, reader: User
) -> None:
    token, key = make_key(reader)
    assert get(client, key).status_code == 200
    reader.groups.clear()
    assert get(client, key).status_code == 404
    reader.groups.add(Group.objects.get(name="finance"))
    User.objects.update(is_active=False)
    assert get(client, key).status_code == 404
    User.objects.update(is_active=True)
    assert revoke_token(token)
    assert not revoke_token(token)
    assert get(client, key).status_code == 404


def test_wrong_keys_are_limited(client: Client, campaign: Campaign, reader: User) -> None:
    _token, key = make_key(reader)
    for number in range(wrong_keys.times):
        assert get(client, f"guess-{number}").status_code == 404
    refused = get(client, key)
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "3600"


def test_a_key_is_answered_so_often_a_minute(
    client: Client, campaign: Campaign, reader: User
) -> None:
    _token, key = make_key(reader)
    codes = [get(client, key, "none/days.csv").status_code for _ in range(MOST_A_MINUTE + 1)]
    assert codes[-1] == 429
    assert 429 not in codes[:-1]


def test_nothing_can_be_written(client: Client, campaign: Campaign, reader: User) -> None:
    _token, key = make_key(reader)
    assert client.post(f"/reports/{key}/birthday/report.json").status_code == 405
    assert client.head(f"/reports/{key}/birthday/days.csv").status_code == 200
