"""Slow figures are shown again for a while: for everybody alike, and only as long as they hold."""

import pytest

from campaigns.models import Campaign, Goal
from campaigns.reports import kept
from campaigns.reports.contents import Contents, gather_contents
from campaigns.reports.links import Links
from campaigns.reports.page import Choice
from tests.support.factories import make_member, make_payment, recount_campaign
from tests.support.generated import NOW, generate_sales, make_generated

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def campaign(kept_at_once: None) -> Campaign:
    return make_generated(generate_sales(20))


def show(campaign: Campaign, links: Links | None = None, *, may_be_kept: bool = True) -> Contents:
    return gather_contents(
        campaign, Choice(), at=NOW, language="en", links=links, may_be_kept=may_be_kept
    )


def count(contents: Contents) -> int:
    assert contents.report.primary is not None
    return contents.report.primary.counted


def join(campaign: Campaign) -> None:
    make_payment(make_member(), campaign, "2026-11-01 12:00")
    recount_campaign(campaign)


def test_a_slow_report_is_shown_again_and_says_of_when_it_is(campaign: Campaign) -> None:
    before = show(campaign)
    join(campaign)
    assert count(show(campaign)) == count(before)
    assert show(campaign).report.as_of == before.report.as_of
    assert count(show(campaign, may_be_kept=False)) == count(before) + 1


def test_a_quick_report_is_never_kept(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "SLOW_SECONDS", 60)
    before = show(campaign)
    join(campaign)
    assert count(show(campaign)) == count(before) + 1


def test_a_new_target_shows_at_once(campaign: Campaign) -> None:
    show(campaign)
    Goal.objects.update(target=4321)
    primary = show(campaign).report.primary
    assert primary is not None
    assert primary.target == 4321


def test_links_are_the_viewers_own(campaign: Campaign) -> None:
    editor = show(campaign, Links(campaign))
    viewer = show(campaign, Links(campaign, lambda model: False))
    assert editor.sections.counted_url
    assert not viewer.sections.counted_url
