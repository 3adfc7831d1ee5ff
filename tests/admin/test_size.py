"""Lists at size: the same number of queries, no count of all rows, no row lost."""

from datetime import timedelta
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib import admin
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.safestring import SafeString

from campaigns.admin.columns import choose_column
from campaigns.admin.lists import count_up_to, read_order
from campaigns.models import (
    Campaign,
    Checkout,
    ErasedAddress,
    Erasure,
    Gift,
    JobFailure,
    Member,
    Membership,
    OptOut,
    OutgoingMail,
    Payment,
    Plan,
    PublishedNumber,
    RefundOrder,
    StripeEvent,
    StripeSale,
    Tally,
)
from tests.admin.test_roles import LEAD_ELSEWHERE, address_of, admin_pages
from tests.support.effort import effort
from tests.support.factories import (
    at,
    make_checkout,
    make_dispute,
    make_gift,
    make_member,
    make_payment,
    make_price,
    make_refund,
    record_claim,
)
from tests.support.staff import admin_url, read_page, sign_in_staff, store_event

pytestmark = [pytest.mark.django_db, pytest.mark.once]

FEW, MANY = 10, effort(quick=120, thorough=1000)
MOMENT = "2026-11-10 12:00"


def fill(campaign: Campaign, numbers: range) -> None:
    """Create a row of every kind for each number; every eighth belongs to Ada."""
    ada, price = make_member("ada@example.org"), make_price()
    user = User.objects.get(username="editor")
    for number in numbers:
        who = make_member(f"other{number}@example.org") if number % 8 else ada
        checkout = make_checkout(campaign, member=who)
        payment = make_payment(who, campaign, MOMENT, checkout=checkout)
        make_refund(payment, MOMENT, 10)
        make_dispute(payment, MOMENT)
        gift = make_gift(who, campaign, MOMENT)
        record_claim(gift, make_member(f"friend{number}@example.org"), MOMENT)
        Tally.objects.create(
            campaign=campaign, member=who, payment=payment, counted_from=payment.paid_at
        ) if number % 8 else None
        RefundOrder.objects.create(
            payment=payment, amount_minor=5, reason="duplicate", why="typo", ordered_by=user
        )
        for about in ({"payment": payment}, {"gift": gift}, {"member": who}):
            OutgoingMail.objects.create(key=f"receipt:{number}{about}", kind="receipt", **about)
        store_event(f"evt_many_{number}")
        StripeSale.objects.create(
            subscription_id=f"sub_many_{number}",
            customer_id=f"cus_{number}",
            price=price,
            status="active",
            started_at=at(MOMENT),
        )
        JobFailure.objects.create(job="mails", row=str(number + 10), error="OSError")
        ErasedAddress.objects.create(address_hash=f"{number:064}x"[-64:])
        OptOut.objects.create(address_hash=f"{number:064}x"[-64:])
        PublishedNumber.objects.create(
            campaign=campaign,
            published_at=at(MOMENT) + timedelta(minutes=number),
            counted=number,
            target=1000,
        )
        gone = make_member(f"gone{number}@example.org")
        Erasure.objects.create(member=gone, why="asked", asked_by=user)
        LogEntry.objects.log_create(
            who, force_log=True, action=1, changes={"name": ["A", "B"]}, actor=user
        )
        colleague = User.objects.create_user(f"colleague{number}", is_staff=True)
        colleague.groups.set(user.groups.all())
        Plan.objects.create(slug=f"plan-{number}")


def list_addresses() -> dict[str, str]:
    """Return the address of every page, of the first rows there are, and of two searches."""
    addresses = {
        str(name): address_of(str(name), pattern)
        for name, pattern in admin_pages().items()
        if name not in LEAD_ELSEWHERE
    }
    return addresses | {f"search {typed}": f"/admin/search/?q={typed}" for typed in ("other", "60")}


def count_queries(client: Client, addresses: dict[str, str]) -> dict[str, int]:
    """Return the number of queries of every page; open each twice, to fill the caches."""
    counted = {}
    for name, address in addresses.items():
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            response: Any = client.get(address)
            if response.streaming:
                b"".join(response.streaming_content)
        if response.status_code == 200:
            counted[name] = len(queries)
    return counted


@pytest.mark.usefixtures("editor", "rows")
@pytest.mark.thorough
def test_no_page_of_the_admin_asks_more_of_the_database_for_more_rows(client: Client) -> None:
    campaign = Campaign.objects.get()
    fill(campaign, range(FEW))
    addresses = list_addresses()
    few = count_queries(client, addresses)
    fill(campaign, range(FEW, MANY))
    # That can take minutes, after which downloads would ask again who is there.
    sign_in_staff(client, User.objects.get(username="editor"))
    many = count_queries(client, addresses)
    assert len(few) > 40
    more = {name: (few[name], many[name]) for name in few if many[name] > few[name]}
    # Downloads make a few more for each chunk of 500 rows.
    assert more.keys() <= {name for name in few if name.endswith("_download")}, more
    assert all(after - before < 20 for before, after in more.values()), more


@pytest.mark.thorough
@pytest.mark.usefixtures("editor", "rows")
def test_no_list_counts_its_rows(client: Client) -> None:
    fill(Campaign.objects.get(), range(60))
    for model in admin.site._registry:
        url = reverse(admin_urlname(model._meta, SafeString("changelist")))
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url).status_code in {200, 302}
        counts = [query["sql"] for query in queries.captured_queries if "COUNT(" in query["sql"]]
        # A count of at most so many rows reads no more of them.
        assert not [sql for sql in counts if "LIMIT" not in sql], model


@pytest.mark.thorough
@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize("order", ["", "2", "-2.1"])
def test_every_row_is_on_one_page(client: Client, birthday: Campaign, order: str) -> None:
    for number in range(120):
        make_payment(make_member(), birthday, MOMENT, amount_minor=6000 + number % 3)
    url = admin_url(Payment, "changelist")
    seen: list[int] = []
    answer = client.get(url, {"o": order} if order else {})
    pages = [[row.pk for row in answer.context["cl"].result_list]]
    while (query := answer.context["cl"].older_query) is not None:
        answer = client.get(url + query)
        pages.append([row.pk for row in answer.context["cl"].result_list])
    seen = [pk for page in pages for pk in page]
    assert len(seen) == len(set(seen)) == 120
    assert [len(page) for page in pages] == [50, 50, 20]
    answer = client.get(url + answer.context["cl"].newer_query)
    assert [row.pk for row in answer.context["cl"].result_list] == pages[1]


# Lists with a row for each sale, or more.
GROWING = (Checkout, Gift, Member, Membership, OutgoingMail, Payment, StripeEvent, Tally)


def has_index(model: Any, order: list[str]) -> bool:
    """Return whether an index of all rows has this order, read forwards or backwards."""
    first = model._meta.get_field(order[0].removeprefix("-"))
    if first.unique:
        return True
    wanted = [("id" if name == "pk" else name, sign) for name, sign in map(split_sign, order)]
    backwards = [(name, not sign) for name, sign in wanted]
    indexed = [
        [(name, sign == "DESC") for name, sign in index.fields_orders]
        for index in model._meta.indexes
        if index.condition is None
    ]
    return wanted in indexed or backwards in indexed


def split_sign(name: str) -> tuple[str, bool]:
    return name.removeprefix("-"), name.startswith("-")


@pytest.mark.usefixtures("editor", "rows")
@pytest.mark.parametrize("model", GROWING, ids=lambda model: model.__name__)
def test_every_order_of_a_growing_list_has_an_index(client: Client, model: Any) -> None:
    """Otherwise the database would sort a million rows to show fifty."""
    url, pages = admin_url(model, "changelist"), admin.site.get_model_admin(model)
    columns = client.get(url).context["cl"].list_display
    offered = [columns.index(choose_column(model, each)) for each in pages.sortable_by or ()]
    assert offered
    for order in ("", *map(str, offered), *(f"-{number}" for number in offered)):
        listed = client.get(url, {"o": order} if order else {}).context["cl"]
        fields = list(dict.fromkeys(listed.queryset.query.order_by))
        names = [name.removeprefix("-") for name in fields]
        assert has_index(model, [fields[names.index(name)] for name in dict.fromkeys(names)]), order


@pytest.mark.usefixtures("editor")
def test_a_list_is_not_sorted_by_other_columns(client: Client, birthday: Campaign) -> None:
    """Neither a heading nor a typed URL sorts payments by role."""
    make_payment(make_member(), birthday, MOMENT)
    url = admin_url(Payment, "changelist")
    headings = read_page(client.get(url))
    assert "?o=2" in headings
    assert "?o=3" not in headings
    typed = client.get(url, {"o": "3"}).context["cl"]
    assert read_order(typed.queryset) == [("paid_at", True), ("id", True)]


@pytest.mark.usefixtures("editor")
def test_new_rows_move_no_row_to_the_next_page(client: Client, birthday: Campaign) -> None:
    for _ in range(60):
        make_payment(make_member(), birthday, MOMENT)
    url = admin_url(Payment, "changelist")
    first = client.get(url).context["cl"]
    for _ in range(30):
        make_payment(make_member(), birthday, "2026-11-20 12:00")
    second = client.get(url + first.older_query).context["cl"]
    assert not {row.pk for row in first.result_list} & {row.pk for row in second.result_list}
    assert len(second.result_list) == 10


@pytest.mark.usefixtures("editor")
def test_rows_are_counted_on_request(client: Client, birthday: Campaign) -> None:
    for _ in range(51):
        make_member()
    page = client.get(admin_url(Member, "changelist"))
    assert "Count rows" in read_page(page)
    assert "51 rows" in read_page(client.get(admin_url(Member, "changelist"), {"count": "1"}))


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize("cursor", ["x", "99999999999999999999999", "-1", "0", "%00"])
def test_a_forged_page_is_only_the_first_one(
    client: Client, birthday: Campaign, cursor: str
) -> None:
    make_payment(make_member(), birthday, MOMENT)
    for name in ("after", "before", "page"):
        answer = client.get(admin_url(Payment, "changelist"), {name: cursor}, follow=True)
        assert answer.status_code == 200


@pytest.mark.usefixtures("editor")
def test_days_are_the_newsrooms_and_both_are_included(client: Client, birthday: Campaign) -> None:
    for moment in ("2026-11-09 12:00", "2026-11-10 12:00", "2026-11-11 12:00", "2026-11-12 12:00"):
        make_payment(make_member(), birthday, moment)
    url = admin_url(Payment, "changelist")
    given = {"from": "2026-11-10", "until": "2026-11-11", "role__exact": "first"}
    answer = client.get(url, given)
    assert len(answer.context["cl"].result_list) == 2
    page = read_page(answer)
    assert 'name="role__exact" value="first"' in page
    assert "10 Nov 2026 – 11 Nov 2026" in page
    for wrong in ("yesterday", "2026-13-45"):
        assert client.get(url, {"from": wrong}, follow=True).status_code == 200


def test_a_large_number_of_rows_is_not_read_to_its_end() -> None:
    for _ in range(4):
        make_member()
    rows = Member.objects.order_by("-created_at")
    assert [count_up_to(rows, most) for most in (3, 4, 5)] == ["over 3", "4", "4"]
    with CaptureQueriesContext(connection) as queries:
        count_up_to(rows, 3)
    [query] = queries.captured_queries
    assert "LIMIT 4" in query["sql"]
