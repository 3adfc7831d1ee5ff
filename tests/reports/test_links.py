"""The links from figures to the admin's lists of their rows."""

import re
from collections import Counter, defaultdict
from datetime import date, datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.db.models import F, QuerySet, Sum
from django.test import Client, RequestFactory
from django.urls import resolve

from campaigns.models import Campaign, Checkout, Dispute, Gift, Goal, OutgoingMail, Payment, Refund
from campaigns.money import format_money
from campaigns.reports import Period, choose_period, gather_report
from campaigns.reports.figure_rows import Figure, read_figure
from campaigns.reports.links import FIGURE, Links
from tests.support.factories import at
from tests.support.generated import BEGINS, NOW, generate_sales, make_generated
from tests.support.staff import grant_permissions

pytestmark = [pytest.mark.django_db, pytest.mark.once]

WEEK = {"from": "2026-10-26", "to": "2026-11-01", "compare": "previous"}
# The parts of the page whose numbers have no rows, by class or id: see figure_rows.py.
WITHOUT_ROWS = {"report-outlook", "report-beside", "report-percent", "report-by-now"}
VOID = {"input", "br", "img", "meta", "link", "hr"}


def count_rows(client: Client, url: str) -> int:
    response = client.get(url)
    assert response.status_code == 200, url
    return int(response.context["cl"].row_count)


def list_rows(user: User, url: str) -> QuerySet[Any]:
    """Return the rows of a list of the admin, without its page."""
    request = RequestFactory().get(url)
    request.user = user
    match = resolve(request.path)
    model_admin = match.func.model_admin  # type: ignore[attr-defined]
    rows: QuerySet[Any] = model_admin.get_changelist_instance(request).queryset
    return rows


class Numbers(HTMLParser):
    """The numbers in the cells, facts and strong words of the report, and what they link to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.linked: list[tuple[str, str]] = []
        self.plain: list[str] = []
        self._open: list[tuple[str, str, str]] = []  # tag, classes and id, address
        self.feed(page[page.index("<main") : page.index("</main>")])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in VOID:
            names = f"{given.get('class') or ''} {given.get('id') or ''}"
            self._open.append((tag, names, given.get("href") or ""))

    def handle_endtag(self, tag: str) -> None:
        while tag not in VOID and self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        words = " ".join(data.split())
        tags = {tag for tag, _names, _url in self._open}
        names = {name for _tag, each, _url in self._open for name in each.split()}
        urls = [url for _tag, _names, url in self._open if url]
        is_number = re.search(r"\d", words) and not words.startswith("of ")  # a target
        if "svg" in tags or not is_number or names & WITHOUT_ROWS:
            return
        if urls and "/progress/" in urls[-1]:  # the name of the days compared with
            return
        if urls and "/admin/campaigns/" in urls[-1] and "changelist" not in urls[-1]:
            self.linked.append((words, urls[-1]))
        elif not urls and tags & {"td", "dd"} and "th" not in tags:
            self.plain.append(words)


def show(client: Client, campaign: Campaign, days: dict[str, str]) -> Numbers:
    url = f"/admin/campaigns/campaign/{campaign.pk}/progress/"
    answer = client.get(url, {"compare": "none"} | days)
    assert answer.status_code == 200
    return Numbers(answer.content.decode())


@pytest.fixture
def editor(client: Client) -> User:
    user = User.objects.create_superuser("editor")
    client.force_login(user)
    return user


def make_settled() -> Campaign:
    """Create the generated campaign with what Stripe pays out for it in euros."""
    campaign = make_generated(generate_sales(40))
    Payment.objects.filter(campaign=campaign).exclude(method=Payment.OFFLINE).update(
        settled_minor=F("amount_minor"), settled_currency="eur", fee_minor=30
    )
    moved = {
        "taken_minor": F("amount_minor"),
        "returned_minor": 0,
        "settled_currency": "eur",
    }
    Checkout.objects.filter(campaign=campaign, device="phone").update(friend="abc")
    for paid in Checkout.objects.filter(campaign=campaign)[:2]:
        OutgoingMail.objects.create(
            key=f"unfinished:{paid.pk}",
            kind=OutgoingMail.Kind.UNFINISHED,
            checkout=paid,
            sent_at=at("2026-10-28 12:00"),
        )
    Refund.objects.update(**moved, fee_minor=2)
    Dispute.objects.update(**moved, fee_minor=1500, withdrawn_at=F("opened_at"))
    return campaign


def add_up(figure: Figure, rows: QuerySet[Any]) -> int:
    """Return the sum of the listed rows for the figure, in minor units, by other code."""
    column = {
        "payout-gross": "settled_minor",
        "payout-refunds": "taken_minor",
        "payout-disputes": "taken_minor",
        "payout-dispute-fees": "fee_minor",
    }.get(figure.name, "amount_minor")
    if figure.name not in {"net", "payout-net", "payout-fees"}:
        return int(rows.aggregate(total=Sum(column))["total"] or 0)
    is_payout = figure.name != "net"
    since, until = figure.period.since or BEGINS, figure.period.until or NOW

    def is_inside(moment: datetime | None) -> bool:
        return moment is not None and since <= moment < until

    total = fees = 0
    for payment in rows:
        has_settled = payment.settled_minor is not None
        if is_inside(payment.paid_at) and (has_settled or not is_payout):
            total, fees = total + payment.amount_minor, fees + (payment.fee_minor or 0)
        for refund in payment.refunds.all():
            if is_inside(refund.refunded_at):
                total, fees = total - refund.amount_minor, fees + refund.fee_minor
        for dispute in payment.disputes.all():
            if is_inside(dispute.withdrawn_at or dispute.opened_at):
                total -= dispute.amount_minor + (dispute.fee_minor if is_payout else 0)
    if figure.name == "payout-fees":
        return fees
    return total - fees if is_payout else total


@pytest.mark.parametrize(
    ("kind", "days"),
    [
        (Goal.Kind.NEW_MEMBERS, None),  # a week, and of each figure only two numbers
        pytest.param(Goal.Kind.NEW_MEMBERS, WEEK, marks=pytest.mark.thorough),
        pytest.param(Goal.Kind.NEW_MEMBERS, {}, marks=pytest.mark.thorough),
        pytest.param(Goal.Kind.GIFTS, {}, marks=pytest.mark.thorough),
        pytest.param(Goal.Kind.MONEY, {}, marks=pytest.mark.thorough),
    ],
)
def test_each_number_of_the_page_leads_to_its_rows(
    client: Client, editor: User, kind: str, days: dict[str, str] | None
) -> None:
    campaign = make_settled()
    campaign.goals.update(kind=kind)
    numbers = show(client, campaign, WEEK if days is None else days)
    assert set(numbers.plain) == {"0"}  # hours in which nobody joined
    names, paid = set(), defaultdict(set)
    seen = Counter[str]()
    for words, url in numbers.linked:
        text = parse_qs(urlsplit(url).query).get(FIGURE, [""])[0]
        figure = read_figure(text) if text else None
        name = figure.name if figure else urlsplit(url).path
        names.add(name)
        seen[name] += 1
        if days is None and name != "paid" and seen[name] > 2:
            continue
        rows = list_rows(editor, url)
        if words.endswith("%"):  # a share, beside its number with the same rows
            assert any(url == other and "%" not in each for each, other in numbers.linked)
            continue
        is_money = not re.match(r"[\d,]+($|%)", words)
        if not is_money:
            [count] = re.findall(r"\((\d+) of", words) or [words.replace(",", "")]
            assert rows.count() == int(count), (words, url)
            continue
        assert figure is not None, (words, url)
        currency = "eur" if figure.name.startswith("payout") else figure.part.partition(".")[0]
        total = format_money(add_up(figure, rows), currency, language="en")
        if figure.name == "paid":  # the mean and the worth of a year lead there, too
            paid[url, total].add(words)
        else:
            assert words == total, url
    assert all(total in words for (_url, total), words in paid.items()), paid
    assert {"stopped", "cancelled", "first-time", "returning", "paid", "refunds", "lost"} <= names
    assert {"shared", "reminded", "returned"} <= names
    assert {"net", "payout-net", "payout-fees", "hour", "gifts-claimed"} <= names


def test_without_the_permission_the_numbers_are_plain(client: Client) -> None:
    trainee = User.objects.create_user("trainee", is_staff=True)
    grant_permissions(trainee, "view_campaign", "view_refund")
    client.force_login(trainee)
    numbers = show(client, make_settled(), {})
    assert {urlsplit(url).path for _words, url in numbers.linked} == {"/admin/campaigns/refund/"}
    assert len(numbers.plain) > 100


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize(
    "figure",
    [
        *("nonsense", "stopped,,,,,", "stopped,no-campaign,,,2026-11-01T00:00:00+00:00,"),
        "nonsense,autumn,,,2026-11-01T00:00:00+00:00,",
        "stopped,autumn,,,2026-11-01T00:00:00,",
        "stopped,autumn,,,9999-12-31T23:59:59+00:00,",
        "stopped,autumn,0001-01-01,9999-12-31,2026-11-01T00:00:00+00:00,",
        "kept,autumn,,,2026-11-01T00:00:00+00:00,2",
        "kept,autumn,,,2026-11-01T00:00:00+00:00,x",
        "gross,autumn,,,2026-11-01T00:00:00+00:00,eur",
    ],
)
def test_a_figure_that_does_not_exist_is_no_error(client: Client, figure: str) -> None:
    make_generated([])
    answer = client.get("/admin/campaigns/member/", {FIGURE: figure}, follow=True)
    assert answer.status_code == 200


@pytest.mark.thorough
def test_each_link_leads_to_the_rows_behind_its_number(client: Client) -> None:
    client.force_login(User.objects.create_superuser("editor"))
    campaign = make_generated(generate_sales(40))
    links = Links(campaign)
    whole = choose_period(campaign, at=NOW)
    week = Period(date(2026, 10, 26), date(2026, 11, 2), campaign.zone)
    for period in (whole, week):
        report = gather_report(campaign, at=NOW, period=period)
        counted = report.sources.placement.counted
        assert count_rows(client, links.counted(period)) == counted
        joined = sum(day.joined for day in report.days)
        assert count_rows(client, links.joined(period)) == joined
        for url, kind in ((links.people(period), "people"), (links.gifts_joined(period), "gifts")):
            assert count_rows(client, url) == sum(getattr(day, kind) for day in report.days)
        left = sum(day.stopped for day in report.days)
        assert count_rows(client, links.left(period)) == left
        for money in report.money.totals:
            url = links.figure("gross", period, at=NOW, part=money.currency)
            assert count_rows(client, url) == money.payments
        gifts = Gift.objects.filter(period.contains("paid_at"))
        assert count_rows(client, links.gifts(period)) == gifts.count()
    for breakdown in report.sources.all:
        for group in (*breakdown.groups[:2], *breakdown.groups[-1:]):
            url = links.group(period, breakdown, group)
            assert count_rows(client, url) == group.counted, (breakdown.name, group.name)


def test_other_filters_of_the_list_stay_forbidden(client: Client) -> None:
    client.force_login(User.objects.create_superuser("editor"))
    response = client.get("/admin/campaigns/tally/?payment__checkout__email__startswith=a")
    assert response.status_code == 400 or "e=1" in response.headers.get("Location", "")
