"""The number as JSON: as docs/openapi.yaml describes it."""

import json
from dataclasses import replace

import pytest

from campaigns.banners.numbers import write_json
from campaigns.models import Phase
from campaigns.progress import Progress
from tests.support.factories import at
from tests.support.openapi import list_faults

pytestmark = pytest.mark.once

PATH = "/campaign/{campaign}/progress.json"
MEMBERS = Progress(
    kind="new_members",
    counted=312,
    target=1000,
    as_of=at("2026-11-12 10:00"),
    phase=Phase.RUNNING,
    pending=2,
)
MONEY = replace(MEMBERS, kind="money", counted=961_250, target=4_000_000, currency="eur")
YEN = replace(MONEY, currency="jpy")
FINAL = replace(MEMBERS, kind="gifts", phase=Phase.ENDED, counted=-1, is_final=True, known_now=0)


def test_the_number_is_as_described() -> None:
    published = json.loads(write_json([MEMBERS, MONEY, YEN, FINAL]))
    assert list_faults(published, path=PATH) == []


@pytest.mark.parametrize(
    "change",
    [
        {"counted": "312"},
        {"state": "over"},
        {"as_of": "yesterday"},
        {"currency": "eur"},  # without its exponent
        {"labels": {"en": {"goal": "new members"}}},
    ],
)
def test_the_description_refuses_another_number(change: dict[str, object]) -> None:
    [published] = json.loads(write_json([MEMBERS]))
    assert list_faults([published | change], path=PATH)


def test_the_number_is_written_in_each_language() -> None:
    members, money = json.loads(write_json([MEMBERS, MONEY]))
    assert members["labels"]["en"] == {
        "goal": "new members",
        "counted": "312",
        "target": "1,000",
        "count": "312 of 1,000 new members",
    }
    assert members["labels"]["uk"]["count"] == "312 із 1\xa0000 нових учасників"
    assert (money["currency"], money["currency_exponent"]) == ("eur", 2)
    assert money["labels"]["en"]["counted"] == "€9,612.50"
