"""Two members of staff edit the same row: nobody overwrites the other's change unseen."""

import re
from typing import Any, NamedTuple

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse

from campaigns import members
from campaigns.admin import versions
from campaigns.admin.base import ViewOnly
from campaigns.history import NOTED
from campaigns.models import (
    ApiClient,
    Banner,
    Campaign,
    CampaignCopy,
    ChatWebhook,
    Goal,
    Look,
    Member,
    Newsletter,
    Plan,
    PlanCopy,
    Price,
    ReportMail,
    ReportToken,
    WebhookEndpoint,
)
from tests.support.factories import make_campaign, make_member, make_price
from tests.support.newsletters import make_newsletter
from tests.support.reports import make_chat_webhook, make_report_mail
from tests.support.staff import Fields, fill_in, read_page, sign_in_staff
from tests.support.threads import race

pytestmark = pytest.mark.django_db

REFUSED = "Nothing was saved: this was changed after you opened it"


class Edit(NamedTuple):
    """A field of a form, and what each of two people types into it."""

    field: str
    first: str
    second: str
    noted: str = ""  # how the history writes the first, if it writes it in another way


# Of each model that staff edit in a form of its own, a field of it and of each kind of row below.
EDITS: dict[type[Model], dict[type[Model], Edit]] = {
    Campaign: {
        Campaign: Edit("supporters_before", "11000", "12500", "11,000"),
        CampaignCopy: Edit("copies-0-headline", "Three good years", "Three years of news"),
        Goal: Edit("goals-0-target", "1900", "1100", "1,900"),
        Banner: Edit("banners-0-headline", "Read on", "Join us"),
    },
    ChatWebhook: {ChatWebhook: Edit("name", "desk", "politics")},
    Look: {Look: Edit("name", "The Daily", "The Weekly")},
    Member: {Member: Edit("name", "Ada Else", "Ada Other")},
    Newsletter: {Newsletter: Edit("description", "At six.", "At seven.")},
    Plan: {
        Plan: Edit("position", "3", "4"),
        PlanCopy: Edit("copies-0-name", "Friend", "Supporter"),
        Price: Edit("prices-0-amount_minor", "61.00", "62.00", "€61"),
    },
    ReportMail: {ReportMail: Edit("hour", "8", "9", "08:00")},
    WebhookEndpoint: {WebhookEndpoint: Edit("name", "Shop", "Post")},
    User: {User: Edit("first_name", "Cleo", "Clea")},
}
# Users change no row of these once it exists.
UNCHANGEABLE = {ApiClient, ReportToken}
# An address that is a secret; and roles, which are noted in their own way.
NOT_NOTED = {ChatWebhook: {"url"}, User: {"groups"}}
CASES = [(model, below) for model, edits in EDITS.items() for below in edits]


def name_case(case: tuple[type[Model], type[Model]]) -> str:
    return "-".join(model.__name__ for model in case)


def make_row(model: type[Model], staff: User) -> Any:
    """Create a row of a model, with a row of each kind below it."""
    if model is Campaign:
        campaign = make_campaign()
        Banner.objects.create(campaign=campaign, placement="top", state="running", headline="Now")
        return campaign
    if model is Plan:
        return make_price(stripe_price_id="").plan
    makers: dict[type[Model], Any] = {
        ChatWebhook: make_chat_webhook,
        Look: lambda: Look.objects.create(name="The Paper"),
        Member: lambda: make_member("ada@example.org"),
        Newsletter: make_newsletter,
        ReportMail: lambda: make_report_mail(staff, daily=True),
        User: lambda: User.objects.create_user("cleo", is_staff=True),
        WebhookEndpoint: lambda: WebhookEndpoint.objects.create(
            name="CRM", url="https://crm.example.org/", events=["member.joined"]
        ),
    }
    return makers[model]()


def change_url(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


@pytest.fixture
def ada() -> User:
    return User.objects.create_superuser("ada", first_name="Ada", last_name="Editor")


@pytest.fixture
def ben() -> User:
    return User.objects.create_superuser("ben", first_name="Ben", last_name="Editor")


class Desk(NamedTuple):
    """Two browsers, and the URL of the row that both have open."""

    ada: Client
    ben: Client
    url: str


def open_desk(model: type[Model], ada: User, ben: User) -> Desk:
    if model is ReportMail:  # everybody sees only their own
        ben = ada
    desk = Desk(Client(), Client(), change_url(make_row(model, ada)))
    sign_in_staff(desk.ada, ada)
    sign_in_staff(desk.ben, ben)
    return desk


def clean(value: str | None) -> str | None:
    """Leave out the line break with which every text area begins."""
    return value and value.strip("\n")


def read_choice(page: str) -> str:
    """Return what the box sends that saves over a colleague's changes."""
    found = re.search(r'name="save_over" value="([^"]+)"', page)
    assert found, "no choice is offered"
    return found[1]


def list_forms(pages: Any) -> list[type[Model]]:
    """Return the models whose rows are edited on a page: its own, and those of rows below."""
    own = [] if isinstance(pages, ViewOnly) or pages.model in UNCHANGEABLE else [pages.model]
    return own + [each.model for each in pages.inlines if own and not issubclass(each, ViewOnly)]


def test_every_form_of_the_admin_is_in_the_table() -> None:
    forms = [
        (model, below)
        for model, pages in admin.site._registry.items()
        for below in list_forms(pages)
    ]
    assert sorted(map(name_case, forms)) == sorted(map(name_case, CASES))


@pytest.mark.parametrize("case", CASES, ids=name_case)
def test_a_change_made_meanwhile_is_not_overwritten(
    case: tuple[type[Model], type[Model]], ada: User, ben: User
) -> None:
    model, below = case
    edit = EDITS[model][below]
    desk = open_desk(model, ada, ben)
    early, late = (fill_in(each, desk.url) for each in (desk.ada, desk.ben))
    before = early[edit.field]
    assert desk.ada.post(desk.url, early | {edit.field: edit.first}).status_code == 302
    typed = late | {edit.field: edit.second}
    answer = desk.ben.post(desk.url, typed)
    page = read_page(answer)
    assert REFUSED in page
    assert fill_in(desk.ben, desk.url)[edit.field] == edit.first, "Ada's change is kept"
    assert "Ada Editor" in page or model is ReportMail
    assert f"<ins>{edit.noted or edit.first}</ins>" in page
    assert before != edit.first
    # Everything that was typed is in the form, and sending it again changes nothing.
    shown = Fields(page).sent
    typed["csrfmiddlewaretoken"] = shown["csrfmiddlewaretoken"]
    assert {name: clean(shown.get(name)) for name in typed} == {
        name: clean(value) for name, value in typed.items()
    }
    assert REFUSED in read_page(desk.ben.post(desk.url, shown))
    assert fill_in(desk.ben, desk.url)[edit.field] == edit.first
    # Until Ben decides.
    decided = shown | {"save_over": read_choice(page)}
    assert desk.ben.post(desk.url, decided).status_code == 302
    assert fill_in(desk.ben, desk.url)[edit.field] == edit.second


@pytest.mark.thorough
@pytest.mark.parametrize("case", CASES, ids=name_case)
def test_without_the_comparison_it_is_overwritten(
    case: tuple[type[Model], type[Model]], ada: User, ben: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: the test above would see it."""
    model, below = case
    edit = EDITS[model][below]
    monkeypatch.setattr(versions, "compare_rows", lambda then, now: {})
    desk = open_desk(model, ada, ben)
    early, late = (fill_in(each, desk.url) for each in (desk.ada, desk.ben))
    for browser, typed in (
        (desk.ada, early | {edit.field: edit.first}),
        (desk.ben, late | {edit.field: edit.second}),
    ):
        assert browser.post(desk.url, typed).status_code == 302
    assert fill_in(desk.ben, desk.url)[edit.field] == edit.second


@pytest.mark.parametrize("case", CASES, ids=name_case)
def test_every_field_that_staff_edit_is_in_the_history(
    case: tuple[type[Model], type[Model]], ada: User, rf: RequestFactory
) -> None:
    """The page that refuses to save names from it who changed what."""
    model, below = case
    request: Any = rf.get("/admin/")
    request.user = ada
    pages, row = admin.site._registry[model], make_row(model, ada)
    forms = {model: pages.get_form(request, row, change=True)} | {
        inline.model: formset.form
        for formset, inline in pages.get_formsets_with_inlines(request, row)
    }
    edited = {
        name
        for name, field in forms[below].base_fields.items()
        if not field.disabled and not field.widget.is_hidden
    }
    noted = set(NOTED[below]) or {field.name for field in below._meta.fields}
    assert edited <= noted | NOT_NOTED.get(below, set())


def test_a_choice_made_before_a_third_change_is_asked_again(ada: User, ben: User) -> None:
    desk = open_desk(Newsletter, ada, ben)
    early, late = (fill_in(each, desk.url) for each in (desk.ada, desk.ben))
    desk.ada.post(desk.url, early | {"description": "At six."})
    page = read_page(desk.ben.post(desk.url, late | {"description": "At seven."}))
    decided = Fields(page).sent | {"save_over": read_choice(page)}
    desk.ada.post(desk.url, fill_in(desk.ada, desk.url, description="At eight."))
    page = read_page(desk.ben.post(desk.url, decided))
    assert REFUSED in page
    assert "<ins>At eight.</ins>" in page
    assert Newsletter.objects.get().description == "At eight."


def test_a_second_click_is_no_conflict(ada: User, ben: User) -> None:
    for model in (Newsletter, Campaign, Member):
        desk = open_desk(model, ada, ben)
        edit = EDITS[model][model]
        typed = fill_in(desk.ada, desk.url) | {edit.field: edit.first}
        assert [desk.ada.post(desk.url, typed).status_code for _click in range(2)] == [302, 302]
        User.objects.exclude(pk__in=[ada.pk, ben.pk]).delete()


@pytest.mark.parametrize("token", ["", "x", "e30:1abc:forged"])
def test_a_form_without_a_version_is_not_saved_unseen(token: str, ada: User, ben: User) -> None:
    desk = open_desk(Newsletter, ada, ben)
    typed = fill_in(desk.ada, desk.url) | {"description": "At six.", "version": token}
    page = read_page(desk.ada.post(desk.url, typed))
    assert "We can’t tell when you opened this form." in page
    assert Newsletter.objects.get().description != "At six."
    decided = Fields(page).sent | {"save_over": read_choice(page)}
    assert desk.ada.post(desk.url, decided).status_code == 302
    assert Newsletter.objects.get().description == "At six."


def test_texts_that_a_colleague_deleted_are_not_lost(ada: User, ben: User) -> None:
    desk = open_desk(Campaign, ada, ben)
    campaign = Campaign.objects.get()
    CampaignCopy.objects.create(campaign=campaign, language="uk", name="Третій рік", headline="Ні")
    early, late = (fill_in(each, desk.url) for each in (desk.ada, desk.ben))
    assert desk.ada.post(desk.url, early | {"copies-0-DELETE": "on"}).status_code == 302
    late |= {"copies-0-headline": "Typed for long", "copies-1-headline": "Так"}
    page = read_page(desk.ben.post(desk.url, late))
    assert REFUSED in page
    assert "Deleted" in page
    shown = Fields(page).sent
    assert {shown["copies-0-headline"], shown["copies-1-headline"]} == {"Typed for long", "Так"}
    decided = shown | {"save_over": read_choice(page)}
    assert desk.ben.post(desk.url, decided).status_code == 302
    kept = CampaignCopy.objects.values_list("language", "headline")
    assert set(kept) == {("en", "Typed for long"), ("uk", "Так")}


def test_texts_that_a_colleague_added_are_named_and_kept(ada: User, ben: User) -> None:
    desk = open_desk(Campaign, ada, ben)
    late = fill_in(desk.ben, desk.url)
    added = {
        "copies-TOTAL_FORMS": "2",
        "copies-1-language": "uk",
        "copies-1-name": "Третій рік",
        "copies-1-headline": "Три роки",
    }
    typed = fill_in(desk.ada, desk.url) | added
    assert desk.ada.post(desk.url, typed).status_code == 302
    page = read_page(desk.ben.post(desk.url, late | {"copies-0-headline": "Mine"}))
    assert REFUSED in page
    assert "Третій рік" in page
    decided = Fields(page).sent | {"save_over": read_choice(page)}
    assert desk.ben.post(desk.url, decided).status_code == 302
    assert CampaignCopy.objects.count() == 2
    assert CampaignCopy.objects.get(language="en").headline == "Mine"


def test_a_change_that_the_history_has_not_noted_is_named(ada: User, ben: User) -> None:
    """A member changed their own name meanwhile, and a secret address isn't in the history."""
    for model, field, change in (
        (Member, "name", {"name": "Ada Own"}),
        (ChatWebhook, "url", {"url": "https://hooks.chat.example/services/T1"}),
    ):
        desk = open_desk(model, ada, ben)
        typed = fill_in(desk.ben, desk.url) | {field: "https://hooks.chat.example/mine"}
        model._default_manager.update(**change)
        page = read_page(desk.ben.post(desk.url, typed))
        assert REFUSED in page
        assert "Changed by a reader or automatically:" in page


def test_what_jobs_write_is_no_conflict(ada: User, ben: User) -> None:
    desk = open_desk(Campaign, ada, ben)
    typed = fill_in(desk.ben, desk.url, supporters_before="1")
    Campaign.objects.update(recount_at=None, closed_by="", hides_banners=True)
    assert desk.ben.post(desk.url, typed).status_code == 302


def test_other_line_breaks_are_no_conflict(ada: User, ben: User) -> None:
    desk = open_desk(Campaign, ada, ben)
    typed = fill_in(desk.ben, desk.url, supporters_before="1")
    copy = CampaignCopy.objects.get()
    assert "\n" in copy.story
    CampaignCopy.objects.update(story=copy.story.replace("\n", "\r\n"))
    assert desk.ben.post(desk.url, typed).status_code == 302


def test_a_publisher_meets_only_what_a_publisher_edits(ada: User, ben: User) -> None:
    """A target that changed meanwhile is none of the fields of a form without goals."""
    desk = open_desk(Campaign, ada, ben)
    from_role = User.objects.create_user("pia", is_staff=True)
    from_role.groups.add(Group.objects.get(name="publisher"))
    sign_in_staff(desk.ben, from_role)
    typed = fill_in(desk.ben, desk.url) | {"copies-0-headline": "Typed"}
    Goal.objects.update(target=900)
    assert desk.ben.post(desk.url, typed).status_code == 302
    typed = fill_in(desk.ben, desk.url) | {"copies-0-headline": "Typed again"}
    CampaignCopy.objects.update(headline="Meanwhile")
    assert REFUSED in read_page(desk.ben.post(desk.url, typed))


def test_a_form_kept_over_a_sign_in_keeps_its_version(ada: User, ben: User) -> None:
    """The session ended while the form was open, and a colleague changed the row meanwhile."""
    desk = open_desk(Newsletter, ada, ben)
    typed = fill_in(desk.ben, desk.url) | {"description": "At seven."}
    session = desk.ben.session
    session["kept_form"] = {
        "path": desk.url,
        "fields": "&".join(f"{name}={value}" for name, value in typed.items()),
        "at": 9e9,
    }
    session.save()
    desk.ada.post(desk.url, fill_in(desk.ada, desk.url, description="At six."))
    restored = fill_in(desk.ben, desk.url)
    assert restored["description"] == "At seven."
    assert REFUSED in read_page(desk.ben.post(desk.url, restored))


def test_a_new_address_survives_a_change_of_name(ada: User, ben: User) -> None:
    """The form of a member writes only what was edited, so this is no conflict."""
    desk = open_desk(Member, ada, ben)
    typed = fill_in(desk.ben, desk.url) | {"name": "Ada Else"}
    members.set_address(Member.objects.get(), "ada@new.example", at=Member.objects.get().created_at)
    assert desk.ben.post(desk.url, typed).status_code == 302
    assert Member.objects.get().email == "ada@new.example"


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("model", [Campaign, Member, Newsletter], ids=lambda model: model.__name__)
def test_of_two_forms_sent_at_once_one_is_saved(model: type[Model], ada: User, ben: User) -> None:
    desk = open_desk(model, ada, ben)
    edit = EDITS[model][model]
    sent = [
        (browser, fill_in(browser, desk.url) | {edit.field: words})
        for browser, words in ((desk.ada, edit.first), (desk.ben, edit.second))
    ]
    answers: list[Any] = race(
        *(
            lambda browser=browser, typed=typed: browser.post(desk.url, typed)
            for browser, typed in sent
        )
    )
    assert not [each for each in answers if isinstance(each, Exception)], answers
    assert sorted(answer.status_code for answer in answers) == [200, 302]
