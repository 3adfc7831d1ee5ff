"""What each role may open, do and download. A page of the admin without an entry here fails."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, reverse

from campaigns.models import Campaign, Gift, Member, Payment, Refund, StripeEvent
from campaigns.models.campaign import CampaignCopy
from tests.support.staff import admin_url, fill_in, read_page, run_action, sign_in_staff

pytestmark = pytest.mark.django_db

ROLES = {
    "R": "report reader",
    "P": "publisher",
    "M": "campaign manager",
    "D": "supporter desk",
    "F": "finance",
    "A": "administrator",
}
EVERYONE = "RPMDFA"
# Who may view the rows of a model, add one, and change fields of one in its form.
ROWS = {
    "campaigns_apiclient": ("A", "A", ""),
    "campaigns_campaign": (EVERYONE, "MA", "PMA"),
    "campaigns_chatwebhook": ("MA", "MA", "MA"),
    "campaigns_checkout": ("DFA", "", ""),
    "campaigns_dispute": ("DFA", "", ""),
    "campaigns_erasedaddress": ("DA", "", ""),
    "campaigns_erasure": ("DA", "", ""),
    "campaigns_ghostmember": ("DA", "", ""),
    "campaigns_gift": ("DFA", "", ""),
    "campaigns_jobfailure": ("A", "", ""),
    "campaigns_jobrun": ("A", "", ""),
    "campaigns_look": (EVERYONE, "", "MA"),
    "campaigns_member": ("DFA", "DA", "DA"),
    "campaigns_membership": ("DFA", "", ""),
    "campaigns_newsletter": (EVERYONE, "MA", "PMA"),
    "campaigns_optout": ("DA", "", ""),
    "campaigns_outgoingmail": ("DA", "", ""),
    "campaigns_payment": ("DFA", "", ""),
    "campaigns_plan": ("MDFA", "FA", "FA"),
    "campaigns_publishednumber": (EVERYONE, "", ""),
    "campaigns_refund": ("DFA", "", ""),
    "campaigns_refundorder": ("DFA", "", ""),
    "campaigns_reportmail": (EVERYONE, EVERYONE, EVERYONE),
    "campaigns_reporttoken": (EVERYONE, EVERYONE, ""),
    "campaigns_stripecursor": ("A", "", ""),
    "campaigns_stripeevent": ("A", "", ""),
    "campaigns_stripesale": ("DFA", "", ""),
    "campaigns_subscription": ("DA", "", ""),
    "campaigns_tally": ("DFA", "", ""),
    "campaigns_wallentry": ("PMA", "", ""),
    "campaigns_webhookdelivery": ("A", "", ""),
    "campaigns_webhookendpoint": ("A", "A", "A"),
    "auth_user": ("A", "A", "A"),
    "auditlog_logentry": ("A", "", ""),
}
PAGES = {
    "campaigns_campaign_chart": EVERYONE,
    "campaigns_apiclient_revoke": "A",
    "campaigns_campaign_close": "MA",
    "campaigns_campaign_delete_note": "PMA",
    "campaigns_campaign_embed": EVERYONE,
    "campaigns_campaign_embed_preview": EVERYONE,
    "campaigns_campaign_preview": "PMA",
    "campaigns_campaign_progress": EVERYONE,
    "campaigns_campaign_reopen": "MA",
    "campaigns_campaign_report": EVERYONE,
    "campaigns_chatwebhook_test": "MA",
    "campaigns_campaign_rows_days": EVERYONE,
    "campaigns_campaign_rows_gifts": "A",
    "campaigns_campaign_rows_members": "A",
    "campaigns_campaign_rows_payments": "DFA",
    "campaigns_campaign_rows_refunds": "DFA",
    "campaigns_checkout_download": "A",
    "campaigns_dispute_download": "DFA",
    "campaigns_gift_download": "A",
    "campaigns_gift_*": "DA",
    "campaigns_member_delete_note": "DA",
    "campaigns_member_download": "A",
    "campaigns_member_erase": "DA",
    "campaigns_member_export": "A",
    "campaigns_member_find_duplicate": "DA",
    "campaigns_member_grant": "DA",
    "campaigns_member_merge": "DA",
    "campaigns_member_note": "DA",
    "campaigns_member_payment": "FA",
    "campaigns_member_resend": "DA",
    "campaigns_membership_*": "DA",
    "campaigns_membership_download": "A",
    "campaigns_outgoingmail_download": "A",
    "campaigns_payment_assign_refund": "DFA",
    "campaigns_payment_decide": "DFA",
    "campaigns_payment_download": "DFA",
    "campaigns_payment_refund": "DFA",
    "campaigns_reporttoken_revoke": EVERYONE,
    "campaigns_refund_download": "DFA",
    "campaigns_stripesale_adopt": "FA",
    "campaigns_subscription_download": "A",
    "campaigns_subscription_erase": "DA",
    "campaigns_subscription_import": "DA",
    "campaigns_wallentry_*": "PMA",
    "campaigns_webhookendpoint_*": "A",
    "auth_user_password_change": "A",
    "auth_user_reset_second_factor": "A",
    # Pages of the admin itself, without rows.
    "index": EVERYONE,
    "app_list": EVERYONE,
    "jsi18n": EVERYONE,
    "password_change": EVERYONE,
    "password_change_done": EVERYONE,
}
# They lead to other pages, or answer 404 without a row: nothing to see.
LEAD_ELSEWHERE = {"login", "logout", "autocomplete", "view_on_site", None}
ACTIONS = {
    "campaigns_campaign": {"publish_now": "PMA", "hide_banners": "PMA", "show_banners": "PMA"}
    | {"recount": "MA"},
    "campaigns_checkout": {"settle": "DA"},
    "campaigns_ghostmember": {"sync_now": "DA"},
    "campaigns_jobfailure": {"retry": "A"},
    "campaigns_jobrun": {"run_now": "A"},
    "campaigns_outgoingmail": {"resend": "DA"},
    "campaigns_payment": {"mark_dealt_with": "DFA"},
    "campaigns_plan": {"send_to_stripe": "FA"},
    "campaigns_refundorder": {"mark_dealt_with": "DFA"},
    "campaigns_stripeevent": {"replay": "A"},
    "campaigns_subscription": {"unsubscribe": "DA"},
    "campaigns_stripesale": {"adopt": "FA", "leave_out": "FA"},
    "campaigns_wallentry": {"show_on_wall": "PMA", "hide_from_wall": "PMA"},
    "campaigns_webhookdelivery": {"resend": "A"},
}
SEE_NO_PERSON = "RPM"
ADDRESSES = ("ada@example.org", "ben@example.org", "gone@example.org")


def walk(patterns: list[Any]) -> Iterator[URLPattern]:
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from walk(each.url_patterns)
        else:
            yield each


def admin_pages() -> dict[str | None, URLPattern]:
    return {each.name: each for each in walk(list(admin.site.get_urls()))}


def allowed_on(name: str) -> str:
    """Return the roles that may open the page with this name. Raises KeyError for a new one."""
    rows, _, page = name.rpartition("_")
    if rows in ROWS and page in {"changelist", "change", "history", "add", "delete"}:
        view, add, _change = ROWS[rows]
        return {"add": add, "delete": ""}.get(page, view)
    model = "_".join(name.split("_")[:2]) + "_*"
    return PAGES[name] if name in PAGES else PAGES[model]


def address_of(name: str, pattern: URLPattern) -> str:
    """Return a page's address, with rows of the fixture."""
    given: dict[str, Any] = {"app_label": "campaigns", "kind": "csv"}
    model = next(
        (
            m
            for m in admin.site._registry
            if name.startswith(f"{m._meta.label_lower}".replace(".", "_") + "_")
        ),
        None,
    )
    if model is not None:
        row = model._default_manager.order_by("pk").first()
        given["object_id"] = given["id"] = row.pk if row else 0
    given["other_id"] = Member.objects.get(email="ben@example.org").pk
    given["refund_id"] = Refund.objects.order_by("pk")[0].pk
    given["note_id"] = 0
    given["chart"] = "curve"
    wanted = pattern.pattern.converters
    if not wanted and "(?P<app_label>" in str(pattern.pattern):
        wanted = {"app_label": None}
    return reverse(f"admin:{name}", kwargs={key: given[key] for key in wanted})


def make_user(letter: str) -> User:
    user = User.objects.create_user(ROLES[letter].replace(" ", "-"), is_staff=True)
    user.set_password("long-and-unguessed")
    user.save()
    user.groups.add(Group.objects.get(name=ROLES[letter]))
    return user


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(
    "letter",
    [pytest.param(each, marks=pytest.mark.thorough if each in "PMF" else ()) for each in ROLES],
)
def test_each_role_opens_its_pages_and_no_others(client: Client, letter: str) -> None:
    sign_in_staff(client, make_user(letter))
    wrong: list[tuple[str, object]] = []
    for name, pattern in admin_pages().items():
        if name in LEAD_ELSEWHERE:
            continue
        assert name is not None
        may = letter in allowed_on(name)
        answer: Any = client.get(address_of(name, pattern))
        status = answer.status_code
        # A page that the row's state doesn't allow leads back or doesn't exist.
        if status not in ({200, 302, 400, 404, 405} if may else {403}):
            wrong.append((name, status))
        if may and status == 200 and letter in SEE_NO_PERSON:
            content = b"".join(answer.streaming_content) if answer.streaming else answer.content
            wrong += [(name, address) for address in ADDRESSES if address.encode() in content]
    assert wrong == []


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("letter", ROLES)
def test_each_role_has_its_actions_and_changes_its_forms(
    client: Client, rf: RequestFactory, letter: str
) -> None:
    request = rf.get("/admin/")
    request.user = make_user(letter)
    for model, pages in admin.site._registry.items():
        name = model._meta.label_lower.replace(".", "_")
        offered = set(pages.get_actions(request))
        known = ACTIONS.get(name, {})
        assert offered == {action for action, roles in known.items() if letter in roles}, name
        _view, _add, change = ROWS[name]
        assert pages.has_change_permission(request) == (letter in change), name
        assert not pages.has_delete_permission(request), name


@pytest.mark.usefixtures("birthday")
def test_a_publisher_changes_texts_but_no_dates(client: Client) -> None:
    campaign = Campaign.objects.get()
    sign_in_staff(client, make_user("P"))
    url = admin_url(Campaign, "change", campaign.pk)
    fields = fill_in(client, url)
    assert "ends_at" not in fields
    assert "goals-0-target" not in fields
    [headline] = [name for name in fields if name.endswith("0-headline") and "copies" in name]
    sent = fields | {headline: "Three years of news", "ends_at": "2030-01-01T00:00"}
    assert client.post(url, sent).status_code == 302
    assert CampaignCopy.objects.filter(headline="Three years of news").exists()
    assert Campaign.objects.get().ends_at == campaign.ends_at


@pytest.mark.usefixtures("rows")
def test_a_role_taken_away_acts_at_the_next_request(client: Client) -> None:
    desk = make_user("D")
    sign_in_staff(client, desk)
    assert "ada@example.org" in read_page(client.get(admin_url(Member, "changelist")))
    desk.groups.set([Group.objects.get(name=ROLES["R"])])
    for url in (admin_url(Member, "changelist"), admin_url(Payment, "changelist")):
        assert client.get(url).status_code == 403
    assert "ada@example.org" not in read_page(client.get("/admin/"))
    User.objects.filter(pk=desk.pk).update(is_active=False)
    assert client.get("/admin/").status_code == 302


@pytest.mark.usefixtures("rows")
def test_an_action_that_is_not_offered_does_nothing(client: Client) -> None:
    sign_in_staff(client, make_user("D"))
    event = StripeEvent.objects.get()
    assert run_action(client, StripeEvent, "replay", event.pk).status_code == 403
    gift = Gift.objects.get()
    sign_in_staff(client, make_user("F"))
    assert client.post(admin_url(Gift, "revoke", gift.pk), {"why": "x"}).status_code == 403
