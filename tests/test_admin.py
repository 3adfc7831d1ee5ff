"""Staff's side: what can be looked at, what can be done, and by whom."""

import json
import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import LazySettings
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns import memberships, progress
from campaigns.models import (
    Campaign,
    Checkout,
    Dispute,
    Goal,
    Member,
    Membership,
    OutgoingMail,
    Payment,
    Plan,
    PlanCopy,
    Price,
    PublishedNumber,
    Refund,
    StripeEvent,
    Tally,
)
from newsroom.sandbox.control import SandboxControl
from tests.factories import (
    at,
    claim,
    make_campaign,
    make_checkout,
    make_dispute,
    make_gift,
    make_member,
    make_payment,
    make_plan,
    make_price,
    make_refund,
)

pytestmark = pytest.mark.django_db

OURS: list[Any] = [model for model in admin.site._registry if model._meta.app_label == "campaigns"]
TOLD_BY_OTHERS = [Payment, Tally, PublishedNumber, Checkout, StripeEvent, OutgoingMail]
MARKUP = '<script>alert("x")</script>'
NOON = at("2026-11-10 12:00")


@pytest.fixture
def editor(client: Client) -> User:
    """Somebody who may do everything, signed in."""
    user = User.objects.create_superuser("editor", "editor@example.org", "long-and-unguessed")
    client.force_login(user)
    return user


@pytest.fixture
def trainee(client: Client) -> User:
    """Staff who were given no permission yet, signed in."""
    user = User.objects.create_user("trainee", password="long-and-unguessed", is_staff=True)
    client.force_login(user)
    return user


@pytest.fixture
def birthday() -> Campaign:
    return make_campaign()


@pytest.fixture
def rows(birthday: Campaign) -> Campaign:
    """A row of every kind; the names are hostile."""
    make_price()
    ada, ben = make_member("ada@example.org"), make_member("ben@example.org")
    Member.objects.filter(pk=ada.pk).update(name=MARKUP)
    payment = make_payment(ada, birthday, "2026-11-10 12:00", checkout=make_checkout(birthday))
    make_refund(payment, "2026-11-11 12:00", 1000)
    make_dispute(payment, "2026-11-12 12:00")
    gift = make_gift(ada, birthday, "2026-11-10 12:00", message=MARKUP, buyer_name=MARKUP)
    claim(gift, ben, "2026-11-11 12:00")
    make_event()
    OutgoingMail.objects.create(key="receipt:pi_1", kind="receipt", payment=payment)
    PublishedNumber.objects.create(
        campaign=birthday, published_at=at("2026-11-10 12:00"), counted=1, target=1000
    )
    progress.recount_campaign(birthday)
    return birthday


def make_event(event_id: str = "evt_1", **changes: Any) -> StripeEvent:
    return StripeEvent.objects.create(
        **{
            "event_id": event_id,
            "type": "customer.updated",
            "object_type": "customer",
            "object_id": "cus_1",
            "payload": json.dumps({"id": event_id, "name": MARKUP}),
            "created_at": at("2026-11-10 12:00"),
            "status": "ignored",
            "next_attempt_at": None,
        }
        | changes
    )


def address(model: Any, page: str, *args: object) -> str:
    return reverse(f"admin:campaigns_{model._meta.model_name}_{page}", args=args)


def act(client: Client, model: Any, action: str, *pks: object) -> Any:
    """Choose rows of a list and an action, as a browser does."""
    return client.post(
        address(model, "changelist"), {"action": action, "_selected_action": pks}, follow=True
    )


def told(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def page_of(response: Any) -> str:
    return str(response.content.decode())


def counted(campaign: Campaign) -> int:
    goal = campaign.goals.get(is_primary=True)
    return progress.measure_goal(goal, at=at("2027-06-01 00:00")).counted


def permit(user: User, *names: str) -> None:
    user.user_permissions.add(*Permission.objects.filter(codename__in=names))


class Fields(HTMLParser):
    """What the form of a page would send, as it stands there."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self._select = self._textarea = ""
        self.feed(page[page.index('id="content-main"') :])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "select":
            self._select = name
        elif tag == "option" and "selected" in given:
            self.sent[self._select] = given.get("value", "")
        elif tag == "textarea":
            self._textarea = name
            self.sent[name] = ""
        elif tag == "input" and given.get("type") == "checkbox":
            if "checked" in given:
                self.sent[name] = given.get("value", "on")
        elif tag == "input" and given.get("type") != "submit" and name:
            self.sent[name] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.sent[self._textarea] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._textarea = ""


def filled(client: Client, url: str, **typed: str) -> dict[str, str]:
    response = client.get(url)
    assert response.status_code == 200
    return Fields(page_of(response)).sent | typed


# Looking


@pytest.mark.usefixtures("editor", "rows")
@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.model_name)
def test_every_list_and_every_row_can_be_looked_at(client: Client, model: Any) -> None:
    response = client.get(address(model, "changelist"))
    assert response.status_code == 200
    assert MARKUP not in page_of(response)
    assert client.get(address(model, "changelist"), {"q": "ada"}).status_code == 200
    row = model.objects.first()
    assert row is not None
    response = client.get(address(model, "change", row.pk))
    assert response.status_code == 200
    assert MARKUP not in page_of(response)
    expected = 200 if model in {Campaign, Plan, Member} else 403
    assert client.get(address(model, "add")).status_code == expected


@pytest.mark.usefixtures("editor", "rows")
def test_the_first_page_leads_to_each_drive(client: Client, rows: Campaign) -> None:
    page = page_of(client.get("/admin/"))
    assert f'href="/admin/campaigns/campaign/{rows.pk}/progress/"' in page
    assert re.search(r"<strong>2</strong> of 1,000 new members", page)


@pytest.mark.usefixtures("editor", "rows")
@pytest.mark.parametrize("model", TOLD_BY_OTHERS, ids=lambda model: model._meta.model_name)
def test_money_and_events_are_never_written_by_staff(client: Client, model: Any) -> None:
    row = model.objects.first()
    before = list(model.objects.order_by("pk").values())
    for url in (
        address(model, "change", row.pk),
        address(model, "add"),
        address(model, "delete", row.pk),
    ):
        assert client.post(url, {"post": "yes"}).status_code == 403
    act(client, model, "delete_selected", row.pk)
    assert list(model.objects.order_by("pk").values()) == before


@pytest.mark.usefixtures("editor", "rows")
def test_a_payment_shows_its_refunds_and_disputes(client: Client) -> None:
    payment = Refund.objects.get().payment
    page = page_of(client.get(address(Payment, "change", payment.pk)))
    assert Refund.objects.get().refund_id in page
    assert Dispute.objects.get().dispute_id in page
    assert "€60" in page
    assert "€10" in page


@pytest.mark.usefixtures("editor", "rows")
@pytest.mark.parametrize("model", [Member, Plan], ids=lambda model: model._meta.model_name)
def test_people_and_plans_are_not_deleted(client: Client, model: Any) -> None:
    row = model.objects.first()
    assert client.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


@pytest.mark.usefixtures("editor")
def test_a_drive_in_which_something_was_bought_is_not_deleted(
    client: Client, rows: Campaign
) -> None:
    assert client.post(address(Campaign, "delete", rows.pk), {"post": "yes"}).status_code == 403
    assert Campaign.objects.filter(pk=rows.pk).exists()


@pytest.mark.usefixtures("trainee")
def test_staff_without_permissions_see_nothing(client: Client, rows: Campaign) -> None:
    page = page_of(client.get("/admin/"))
    assert "new members" not in page
    assert str(rows.pk) + "/progress/" not in page
    member = Member.objects.first()
    assert member is not None
    for url in [
        *(address(model, "changelist") for model in OURS),
        *(address(model, "change", model.objects.first().pk) for model in OURS),
        f"/admin/campaigns/campaign/{rows.pk}/progress/",
        f"/admin/campaigns/campaign/{rows.pk}/progress.csv",
        address(Member, "grant", member.pk),
        address(Member, "payment", member.pk),
    ]:
        assert client.get(url).status_code == 403, url


def test_a_stranger_is_led_to_the_sign_in(client: Client, birthday: Campaign) -> None:
    for url in ("/admin/", f"/admin/campaigns/campaign/{birthday.pk}/progress/"):
        response = client.get(url)
        assert response.status_code == 302
        assert response.headers["Location"].startswith("/admin/login/")


def test_who_may_only_look_can_do_nothing(client: Client, trainee: User, rows: Campaign) -> None:
    permit(trainee, *(f"view_{model._meta.model_name}" for model in OURS))
    event = StripeEvent.objects.get()
    act(client, StripeEvent, "replay", event.pk)
    mail = OutgoingMail.objects.get()
    act(client, OutgoingMail, "send_again", mail.pk)
    event.refresh_from_db()
    assert event.status == StripeEvent.Status.IGNORED
    member = Member.objects.first()
    assert member is not None
    assert client.post(address(Member, "grant", member.pk), {}).status_code == 403
    assert client.post(address(Member, "payment", member.pk), {}).status_code == 403
    assert client.get(address(Campaign, "change", rows.pk)).status_code == 200
    assert client.post(address(Campaign, "change", rows.pk), {}).status_code == 403
    assert client.get(f"/admin/campaigns/campaign/{rows.pk}/progress/").status_code == 200


@pytest.mark.usefixtures("editor", "rows")
@pytest.mark.parametrize(
    "query", ["?q=%00", "?campaign__id__exact=x", "?p=9999999", "?o=zz", "?e=1"]
)
def test_a_mangled_address_is_no_fault(client: Client, query: str) -> None:
    response = client.get(address(Payment, "changelist") + query, follow=True)
    assert response.status_code == 200


# Actions


@pytest.mark.usefixtures("editor")
def test_a_replayed_event_is_due_again(client: Client) -> None:
    closed, due = make_event("evt_1"), make_event("evt_2", status="failed", next_attempt_at=NOON)
    response = act(client, StripeEvent, "replay", closed.pk, due.pk)
    assert "1 event is worked on again." in told(response)
    assert "1 is due already" in told(response)
    closed.refresh_from_db()
    assert closed.status == StripeEvent.Status.NEW
    assert closed.next_attempt_at is not None
    due.refresh_from_db()
    assert due.next_attempt_at == NOON


@pytest.mark.usefixtures("editor", "rows")
def test_a_mail_is_sent_again(client: Client) -> None:
    mail = OutgoingMail.objects.get()
    OutgoingMail.objects.update(next_attempt_at=None, sent_at=NOON, attempts=1)
    assert "1 mail is sent again." in told(act(client, OutgoingMail, "send_again", mail.pk))
    mail.refresh_from_db()
    assert mail.next_attempt_at is not None
    assert mail.next_attempt_at <= timezone.now()


@pytest.mark.usefixtures("editor")
def test_without_stripe_staff_are_told_that_nothing_was_settled(
    client: Client, birthday: Campaign, settings: LazySettings
) -> None:
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    checkout = make_checkout(birthday)
    response = act(client, Checkout, "settle", checkout.pk)
    assert response.status_code == 200
    assert "Stripe does not answer" in told(response)
    checkout.refresh_from_db()
    assert checkout.status == Checkout.Status.OPEN


@pytest.mark.usefixtures("editor")
def test_a_checkout_that_stripe_never_heard_of_has_nothing_to_settle(
    client: Client, birthday: Campaign
) -> None:
    checkout = make_checkout(birthday, status="starting", session_id=None)
    assert "no session at Stripe" in told(act(client, Checkout, "settle", checkout.pk))


@pytest.mark.django_db(transaction=True)
def test_settling_again_brings_a_paid_checkout_home(
    client: Client, drive: Campaign, sandbox: SandboxControl
) -> None:
    user = User.objects.create_superuser("editor", "editor@example.org", "long-and-unguessed")
    client.force_login(user)
    price = Price.objects.get(kind="year")
    fields = {"price": str(price.pk), "name": "Ada Reader", "email": "ada@example.org"}
    form = client.get("/drive/birthday/join/")
    hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page_of(form))
    assert client.post("/drive/birthday/join/", dict(hidden) | fields).status_code == 303
    checkout = Checkout.objects.get()
    assert checkout.session_id is not None
    sandbox.pay(checkout.session_id, card="4242424242424242")
    assert counted(drive) == 0
    response = act(client, Checkout, "settle", checkout.pk)
    assert "1 Checkout stands as Stripe has it now." in told(response)
    checkout.refresh_from_db()
    assert checkout.status == Checkout.Status.PAID
    assert counted(drive) == 1


@pytest.mark.usefixtures("editor")
def test_banners_are_published_at_once(client: Client, rows: Campaign) -> None:
    assert "published, with the number 2 of 1,000 new members" in told(
        act(client, Campaign, "publish_now", rows.pk)
    )
    assert rows.published.order_by("-pk")[0].counted == 2


@pytest.mark.usefixtures("editor")
def test_counting_anew_mends_tallies_that_went_wrong(client: Client, rows: Campaign) -> None:
    Tally.objects.all().delete()
    assert counted(rows) == 0
    assert "was counted anew" in told(act(client, Campaign, "recount", rows.pk))
    assert counted(rows) == 2


# The drive's form


@pytest.mark.usefixtures("editor", "rows")
def test_saving_a_drive_as_it_stands_changes_nothing(client: Client, rows: Campaign) -> None:
    def stands() -> list[list[Any]]:
        tables = (Campaign.objects.defer("publish_at"), Goal.objects.all(), Tally.objects.all())
        return [
            [
                {name: value for name, value in vars(row).items() if name != "_state"}
                for row in table.order_by("pk")
            ]
            for table in tables
        ]

    before = stands()
    url = address(Campaign, "change", rows.pk)
    assert client.post(url, filled(client, url)).status_code == 302
    assert stands() == before


@pytest.mark.usefixtures("editor")
def test_the_window_is_shown_and_read_in_the_drives_own_zone(
    client: Client, birthday: Campaign
) -> None:
    url = address(Campaign, "change", birthday.pk)
    fields = filled(client, url)
    assert (fields["starts_at_0"], fields["starts_at_1"]) == ("2026-11-01", "02:00:00")
    fields |= {"starts_at_1": "00:00:00"}
    assert client.post(url, fields).status_code == 302
    birthday.refresh_from_db()
    assert birthday.starts_at == at("2026-10-31 22:00")


@pytest.mark.usefixtures("editor")
def test_a_moved_window_is_counted_anew_and_published_soon(
    client: Client, birthday: Campaign, django_capture_on_commit_callbacks: Any
) -> None:
    early, late = make_member(), make_member()
    make_payment(early, birthday, "2026-11-05 12:00")
    make_payment(late, birthday, "2026-11-20 12:00")
    make_gift(late, birthday, "2026-11-05 12:00")
    progress.recount_campaign(birthday)
    assert counted(birthday) == 3
    url = address(Campaign, "change", birthday.pk)
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(url, filled(client, url, starts_at_0="2026-11-10"), follow=True)
    assert "everything was counted anew" in told(response)
    assert counted(birthday) == 1
    birthday.refresh_from_db()
    assert birthday.publish_at is not None


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"ends_at_0": "2026-11-01", "ends_at_1": "02:00:00"}, "The end has to come after"),
        ({"ends_at_0": "2020-01-01"}, "The end has to come after the start."),
        ({"zone": "Europe/Atlantis"}, "“Europe/Atlantis” is no IANA time zone."),
        ({"zone": "../../etc/passwd"}, "is no IANA time zone."),
        ({"currency": "EUR"}, "small letters of ISO 4217"),
        ({"goals-0-target": "0"}, "target is above zero."),
        ({"goals-0-target": "-5"}, "greater than or equal to 0"),
        ({"goals-0-target": "9" * 30}, "less than or equal to"),
        ({"goals-0-target": "many"}, "Enter a whole number."),
        ({"starts_at_0": "yesterday"}, "Enter a valid date."),
        ({"copies-0-name": "\0"}, "Null characters are not allowed."),
    ],
)
def test_what_is_wrong_with_a_drive_is_said_beside_it(
    client: Client, birthday: Campaign, typed: dict[str, str], words: str
) -> None:
    url = address(Campaign, "change", birthday.pk)
    before = Campaign.objects.values().get(), list(Goal.objects.values())
    response = client.post(url, filled(client, url) | typed)
    assert response.status_code == 200
    errors = " ".join(re.findall(r'<ul class="errorlist[^>]*>(.*?)</ul>', page_of(response)))
    assert words in errors.replace("&#x27;", "'"), errors
    assert (Campaign.objects.values().get(), list(Goal.objects.values())) == before


def goal_fields(
    client: Client, campaign: Campaign, *goals: tuple[str, str, bool]
) -> dict[str, str]:
    """The drive's form with more goals: kind, target, and whether it is the primary one."""
    fields = filled(client, address(Campaign, "change", campaign.pk))
    for number, (kind, target, is_primary) in enumerate(goals, start=1):
        fields |= {f"goals-{number}-kind": kind, f"goals-{number}-target": target}
        if is_primary:
            fields[f"goals-{number}-is_primary"] = "on"
    return fields | {"goals-TOTAL_FORMS": str(len(goals) + 1)}


@pytest.mark.usefixtures("editor")
def test_two_primary_goals_are_refused(client: Client, birthday: Campaign) -> None:
    fields = goal_fields(client, birthday, ("gifts", "100", True))
    response = client.post(address(Campaign, "change", birthday.pk), fields)
    assert response.status_code == 200
    assert "only one can be the primary" in page_of(response)
    assert birthday.goals.count() == 1


@pytest.mark.usefixtures("editor")
def test_a_drive_keeps_a_primary_goal(client: Client, birthday: Campaign) -> None:
    fields = goal_fields(client, birthday)
    del fields["goals-0-is_primary"]
    response = client.post(address(Campaign, "change", birthday.pk), fields)
    assert "Choose the primary goal" in page_of(response)
    assert birthday.goals.get().is_primary


@pytest.mark.usefixtures("editor")
def test_the_primary_goal_can_be_another_in_one_go(client: Client, birthday: Campaign) -> None:
    gifts = Goal.objects.create(campaign=birthday, kind="gifts", target=100)
    fields = filled(client, address(Campaign, "change", birthday.pk))
    del fields["goals-0-is_primary"]
    fields["goals-1-is_primary"] = "on"
    assert client.post(address(Campaign, "change", birthday.pk), fields).status_code == 302
    assert birthday.goals.get(is_primary=True) == gifts


@pytest.mark.usefixtures("editor")
def test_a_kind_of_goal_is_there_once(client: Client, birthday: Campaign) -> None:
    fields = goal_fields(client, birthday, ("new_members", "100", False))
    response = client.post(address(Campaign, "change", birthday.pk), fields)
    assert response.status_code == 200
    assert birthday.goals.count() == 1


# Plans


@pytest.mark.usefixtures("editor")
def test_a_price_that_stripe_knows_keeps_its_amount(client: Client) -> None:
    plan = make_plan()
    told_stripe = make_price("year", stripe_price_id="price_1")
    url = address(Plan, "change", plan.pk)
    fields = filled(client, url)
    fields |= {"prices-0-amount_minor": "1", "prices-0-kind": "month", "prices-0-currency": "usd"}
    del fields["prices-0-is_active"]
    assert client.post(url, fields).status_code == 302
    told_stripe.refresh_from_db()
    assert (told_stripe.amount_minor, told_stripe.kind, told_stripe.currency) == (
        6000,
        "year",
        "eur",
    )
    assert not told_stripe.is_active


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"amount_minor": "0"}, "A price is above zero."),
        ({"months": "12"}, "What renews by itself has no number of months."),
        ({"kind": "gift"}, "Say for how many months it lasts"),
        ({"currency": "€"}, "small letters of ISO 4217"),
    ],
)
def test_what_is_wrong_with_a_price_is_said_beside_it(
    client: Client, typed: dict[str, str], words: str
) -> None:
    plan = make_plan()
    make_price("year", plan=plan)
    url = address(Plan, "change", plan.pk)
    changed = {f"prices-0-{name}": value for name, value in typed.items()}
    response = client.post(url, filled(client, url) | changed)
    assert response.status_code == 200
    assert words in page_of(response)


@pytest.mark.usefixtures("editor")
def test_staff_are_told_that_a_new_price_is_not_at_stripe_yet(client: Client) -> None:
    plan = make_plan()
    make_price("year", plan=plan)
    url = address(Plan, "change", plan.pk)
    response = client.post(url, filled(client, url), follow=True)
    assert "1 price is not at Stripe yet" in told(response)


# People


@pytest.mark.usefixtures("editor")
def test_an_address_is_kept_as_people_are_known(client: Client) -> None:
    make_member("ada@example.org")
    url = address(Member, "add")
    response = client.post(url, filled(client, url, email=" Ben@Example.org ", name="Ben"))
    assert response.status_code == 302
    assert Member.objects.get(name="Ben").email == "ben@example.org"
    response = client.post(url, filled(client, url, email="ADA@example.org", name="Ada"))
    assert response.status_code == 200
    assert "already exists" in page_of(response)


def grant_fields(**typed: str) -> dict[str, str]:
    return {
        "plan": str(make_plan().pk),
        "starts_at_0": "2026-11-10",
        "starts_at_1": "12:00",
        "months": "12",
        "note": "helped us with the archive",
    } | typed


def test_a_granted_membership_says_by_whom_and_why(
    client: Client, editor: User, birthday: Campaign
) -> None:
    ada = make_member("ada@example.org")
    url = address(Member, "grant", ada.pk)
    assert client.get(url).status_code == 200
    response = client.post(url, grant_fields(), follow=True)
    assert "A membership of 12 months was added." in told(response)
    granted = ada.memberships.get()
    assert (granted.source, granted.granted_by, granted.note) == (
        Membership.Source.GRANTED,
        editor,
        "helped us with the archive",
    )
    assert granted.ends_at == at("2027-11-10 12:00")
    assert counted(birthday) == 0


@pytest.mark.usefixtures("editor")
def test_a_membership_granted_twice_is_there_once(client: Client) -> None:
    ada = make_member()
    url = address(Member, "grant", ada.pk)
    client.post(url, grant_fields())
    response = client.post(url, grant_fields())
    assert response.status_code == 422
    assert "was added already" in page_of(response)
    assert ada.memberships.count() == 1


@pytest.mark.usefixtures("editor")
def test_a_grant_from_before_the_drive_takes_the_person_out_of_its_count(
    client: Client, birthday: Campaign
) -> None:
    ada = make_member()
    make_payment(ada, birthday, "2026-11-10 12:00")
    progress.recount_campaign(birthday)
    assert counted(birthday) == 1
    client.post(address(Member, "grant", ada.pk), grant_fields(starts_at_0="2026-10-01"))
    assert counted(birthday) == 0


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize(
    "typed",
    [
        {"note": ""},
        {"note": "x" * 201},
        {"months": "0"},
        {"months": "100000"},
        {"starts_at_0": "9999-12-31"},
        {"starts_at_0": "0001-01-01"},
        {"starts_at_1": ""},
        {"plan": "x"},
        {"plan": "999999"},
    ],
)
def test_a_grant_with_a_fault_is_not_made(client: Client, typed: dict[str, str]) -> None:
    ada = make_member()
    response = client.post(address(Member, "grant", ada.pk), grant_fields(**typed))
    assert response.status_code == 422
    assert "errorlist" in page_of(response)
    assert not ada.memberships.exists()


def payment_fields(campaign: Campaign | None, **typed: str) -> dict[str, str]:
    return {
        "amount": "60.50",
        "currency": "eur",
        "paid_at_0": "2026-11-10",
        "paid_at_1": "01:30",
        "campaign": str(campaign.pk) if campaign else "",
        "plan": str(make_plan().pk),
        "months": "12",
        "note": "cash at the desk",
    } | typed


def test_an_offline_payment_is_kept_and_counts(
    client: Client, editor: User, birthday: Campaign
) -> None:
    ada = make_member("ada@example.org")
    url = address(Member, "payment", ada.pk)
    assert client.get(url).status_code == 200
    response = client.post(url, payment_fields(birthday), follow=True)
    assert "counts as a new member" in told(response)
    payment = ada.payments.get()
    assert (payment.amount_minor, payment.currency, payment.entered_by, payment.note) == (
        6050,
        "eur",
        editor,
        "cash at the desk",
    )
    assert payment.paid_at == at("2026-11-09 23:30")  # half past one in Kyiv
    assert payment.is_offline
    assert payment.membership is not None
    assert payment.membership.started_at == payment.paid_at
    assert counted(birthday) == 1
    birthday.refresh_from_db()
    assert birthday.publish_at is not None


@pytest.mark.usefixtures("editor")
def test_an_offline_payment_recorded_twice_is_there_once(
    client: Client, birthday: Campaign
) -> None:
    ada = make_member()
    url = address(Member, "payment", ada.pk)
    client.post(url, payment_fields(birthday))
    response = client.post(url, payment_fields(birthday))
    assert response.status_code == 422
    assert "was recorded already" in page_of(response)
    assert ada.payments.count() == ada.memberships.count() == 1


@pytest.mark.usefixtures("editor")
def test_an_offline_payment_counts_only_as_the_rule_says(
    client: Client, birthday: Campaign
) -> None:
    before, after, known = make_member(), make_member(), make_member()
    memberships.give_membership(
        known,
        plan=None,
        source=Membership.Source.IMPORTED,
        starts_at=at("2026-10-01 00:00"),
        months=12,
    )
    early = payment_fields(birthday, paid_at_0="2026-11-01", paid_at_1="01:59")
    nowhere = payment_fields(None)
    for person, fields in ((before, early), (after, nowhere), (known, payment_fields(birthday))):
        response = client.post(address(Member, "payment", person.pk), fields, follow=True)
        assert "does not make this person count" in told(response)
        assert person.payments.count() == 1
    assert counted(birthday) == 0


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize(
    "typed",
    [
        {"amount": "0"},
        {"amount": "-5"},
        {"amount": "60.505"},
        {"amount": "60", "currency": "EUR"},
        {"amount": "60.5", "currency": "jpy"},
        {"amount": "1e400"},
        {"amount": "NaN"},
        {"amount": "999999999999999999999"},
        {"paid_at_0": "2999-01-01"},
        {"paid_at_0": "1999-01-01"},
        {"paid_at_0": "0001-01-01"},
        {"paid_at_0": "9999-12-31", "paid_at_1": "23:59"},
        {"note": ""},
        {"campaign": "999999"},
        {"months": ""},
    ],
)
def test_an_offline_payment_with_a_fault_is_not_recorded(
    client: Client, birthday: Campaign, typed: dict[str, str]
) -> None:
    ada = make_member()
    response = client.post(address(Member, "payment", ada.pk), payment_fields(birthday) | typed)
    assert response.status_code == 422
    assert "errorlist" in page_of(response)
    assert not ada.payments.exists()
    assert not ada.memberships.exists()


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize("page", ["grant", "payment"])
def test_nobody_is_nobody(client: Client, page: str) -> None:
    assert client.get(address(Member, page, 999999)).status_code == 404


# Progress


@pytest.mark.usefixtures("editor")
def test_the_progress_page_shows_the_number_and_the_rule(client: Client, rows: Campaign) -> None:
    response = client.get(f"/admin/campaigns/campaign/{rows.pk}/progress/")
    assert response.status_code == 200
    page = page_of(response)
    assert "<strong>2</strong> of 1,000 new members" in page
    assert "A person counts once" in page
    assert '<svg class="chart"' in page
    assert "€120" in page  # gross
    assert "Member" in page
    assert "Europe/Kyiv" in page


@pytest.mark.usefixtures("editor")
def test_a_drive_without_a_goal_or_a_row_has_a_progress_page(client: Client) -> None:
    campaign = make_campaign()
    campaign.goals.all().delete()
    assert client.get(f"/admin/campaigns/campaign/{campaign.pk}/progress/").status_code == 200
    assert client.get("/admin/").status_code == 200


@pytest.mark.usefixtures("editor")
def test_a_goal_of_money_has_a_progress_page(client: Client, rows: Campaign) -> None:
    rows.goals.all().update(kind="money", target=100_000)
    page = page_of(client.get(f"/admin/campaigns/campaign/{rows.pk}/progress/"))
    assert "of €1,000 raised" in page


@pytest.mark.usefixtures("editor")
def test_the_figures_are_files_to_take_away(client: Client, rows: Campaign) -> None:
    today = timezone.now().astimezone(ZoneInfo("Europe/Kyiv")).date()
    for kind, content_type in (("json", "application/json"), ("csv", "text/csv; charset=utf-8")):
        response = client.get(f"/admin/campaigns/campaign/{rows.pk}/progress.{kind}")
        assert response.status_code == 200
        assert response.headers["Content-Type"] == content_type
        assert response.headers["Content-Disposition"] == (
            f'attachment; filename="birthday-{today}.{kind}"'
        )
    assert (
        json.loads(client.get(f"/admin/campaigns/campaign/{rows.pk}/progress.json").content)[
            "goals"
        ][0]["counted"]
        == 2
    )
    assert client.get(f"/admin/campaigns/campaign/{rows.pk}/progress.exe").status_code == 404
    assert client.get("/admin/campaigns/campaign/999999/progress/").status_code == 404


@pytest.mark.usefixtures("editor")
def test_a_slug_that_a_spreadsheet_would_reckon_with_is_harmless(client: Client) -> None:
    now = timezone.now()
    campaign = make_campaign(
        slug="-2", starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=1)
    )
    text = page_of(client.get(f"/admin/campaigns/campaign/{campaign.pk}/progress.csv"))
    assert text.splitlines()[1].startswith("'-2,")


@pytest.mark.usefixtures("editor")
def test_markup_in_a_name_is_shown_as_it_was_typed(client: Client, rows: Campaign) -> None:
    Checkout.objects.update(placement="<b>top</b>")
    PlanCopy.objects.update(name="<i>Member</i>")
    rows.copies.update(name=MARKUP)
    page = page_of(client.get(f"/admin/campaigns/campaign/{rows.pk}/progress/"))
    assert MARKUP not in page
    assert "<b>top</b>" not in page
    assert "<i>Member</i>" not in page
    assert "&lt;i&gt;Member&lt;/i&gt;" in page
