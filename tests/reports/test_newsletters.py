"""Newsletter sign-ups of a campaign, and how many of them became members later."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from campaigns.models import Campaign, FormerAddress, Newsletter
from campaigns.reports.newsletters import LetterGroup
from campaigns.reports.periods import Period
from campaigns.reports.report import gather_report
from tests.support.factories import at, make_campaign, make_member, make_payment
from tests.support.newsletters import make_newsletter, make_subscription
from tests.support.staff import read_page, sign_in_staff

pytestmark = [pytest.mark.django_db, pytest.mark.once]

NOW = at("2026-11-20 12:00")


@pytest.fixture
def birthday() -> Campaign:
    return make_campaign()


def ask(
    newsletter: Newsletter,
    name: str,
    campaign: Campaign | None,
    *,
    day: int = 10,
    confirmed_on: int | None = None,
    **values: str,
) -> str:
    """Create a sign-up on a day of November; return its address."""
    email = f"{name}@example.org"
    is_confirmed = confirmed_on is not None
    times = {"requested_at": at(f"2026-11-{day} 12:00")}
    if is_confirmed:
        times["confirmed_at"] = at(f"2026-11-{confirmed_on} 12:00")
    status = "confirmed" if is_confirmed else "pending"
    make_subscription(newsletter, email, status=status, campaign=campaign, **times, **values)
    return email


@pytest.fixture
def sign_ups(birthday: Campaign) -> None:
    war, art = make_newsletter("war", position=1), make_newsletter("art", position=2)
    ask(war, "never", birthday)
    ask(war, "left", birthday, confirmed_on=11)
    other = make_campaign(slug="other", starts_at=at("2025-01-01 00:00"))
    ask(war, "other", other, confirmed_on=11)
    late = ask(war, "late", birthday, confirmed_on=10, placement="signup")
    ask(art, "late", birthday, confirmed_on=12, placement="signupcard")
    make_payment(make_member(late), birthday, "2026-11-13 12:00")
    early = ask(art, "early", birthday, confirmed_on=12)
    make_payment(make_member(early), birthday, "2026-11-05 12:00")
    moved = ask(art, "moved", birthday, confirmed_on=12)
    member = make_member("moved@new.example")
    FormerAddress.objects.create(member=member, email=moved)
    make_payment(member, birthday, "2026-11-19 12:00")
    make_payment(make_member("failed@example.org"), birthday, "2026-11-19 12:00", status="failed")
    ask(art, "failed", birthday, day=12, confirmed_on=12)


@pytest.mark.usefixtures("sign_ups")
def test_each_address_counts_once_at_each_step(birthday: Campaign) -> None:
    found = gather_report(birthday, at=NOW).newsletters
    assert (found.asked, found.confirmed, found.joined) == (6, 5, 2)
    assert (found.confirmed_share.percent, found.joined_share.percent) == (83.3, 40.0)
    assert found.by_newsletter == (LetterGroup("War", 3, 2, 1), LetterGroup("Art", 4, 4, 2))
    assert found.by_placement == (
        LetterGroup("", 5, 4, 1),
        LetterGroup("signup", 1, 1, 1),
        LetterGroup("signupcard", 1, 1, 1),
    )
    earlier = gather_report(birthday, at=at("2026-11-12 11:00")).newsletters
    assert (earlier.asked, earlier.confirmed, earlier.joined) == (5, 2, 0)


@pytest.mark.usefixtures("sign_ups")
def test_a_period_is_about_when_they_asked(birthday: Campaign) -> None:
    days = Period(at("2026-11-12 00:00").date(), at("2026-11-13 00:00").date(), "Europe/Kyiv")
    found = gather_report(birthday, at=NOW, period=days).newsletters
    assert (found.asked, found.confirmed, found.joined) == (1, 1, 0)


def test_no_sign_ups_are_no_rate(birthday: Campaign) -> None:
    found = gather_report(birthday, at=NOW).newsletters
    assert (found.asked, found.confirmed, found.joined) == (0, 0, 0)
    assert found.joined_share.percent is None
    assert found.joined_share.reason == "No confirmed sign-ups yet."


@pytest.mark.usefixtures("sign_ups")
def test_the_page_shows_the_steps_and_links_to_the_rows(
    admin_client: Client, admin_user: User, birthday: Campaign
) -> None:
    sign_in_staff(admin_client, admin_user)
    page = read_page(admin_client.get(f"/admin/campaigns/campaign/{birthday.pk}/progress/"))
    assert "2 of 5 confirmed addresses became members later." in page
    assert "newsletters at the article’s end" in page
    assert f"/admin/campaigns/subscription/?campaign__id__exact={birthday.pk}" in page
