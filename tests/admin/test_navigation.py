"""The admin's navigation lists every model once, and only what the user may view."""

import html
import re

import pytest
from django.conf import LazySettings
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.utils import timezone

from campaigns.models import Campaign, Problem
from campaigns.templatetags.navigation import list_entries

pytestmark = pytest.mark.django_db


@pytest.mark.once
def test_every_model_of_the_admin_is_in_the_navigation_once() -> None:
    listed = [model for entry in list_entries() for model in (entry.model, *entry.below)]
    assert len(listed) == len(set(listed))
    assert set(listed) == set(admin.site._registry)


def test_the_navigation_shows_only_what_the_user_may_view(client: Client, trainee: User) -> None:
    trainee.user_permissions.add(Permission.objects.get(codename="view_payment"))
    page = client.get("/admin/").content.decode()
    assert 'href="/admin/campaigns/payment/"' in page
    assert "/admin/campaigns/member/" not in page
    assert "/admin/auth/user/" not in page


def test_the_list_that_is_open_is_marked(client: Client, editor: User) -> None:
    page = client.get("/admin/campaigns/payment/").content.decode()
    assert '<a href="/admin/campaigns/payment/" aria-current="page">Payments</a>' in page
    assert page.count('aria-current="page"') == 1


def test_the_running_campaign_and_duplicates_are_one_click_away(
    client: Client, editor: User, birthday: Campaign
) -> None:
    page = client.get("/admin/").content.decode()
    for path, name in (
        (f"campaign/{birthday.pk}/progress/", "Report"),
        (f"campaign/{birthday.pk}/change/", "Texts and goals"),
        (f"campaign/{birthday.pk}/embed/", "Banners in articles"),
        ("member/?needs=same-address", "Duplicates"),
    ):
        link = f'<a href="/admin/campaigns/{path}"'
        assert f"{link}>{name}</a>" in page
        marked = client.get(f"/admin/campaigns/{path}").content.decode()
        assert f'{link} aria-current="page">{name}</a>' in marked
        assert marked.count('aria-current="page"') == 1


def test_ghost_is_listed_where_it_is_used(
    client: Client, editor: User, settings: LazySettings
) -> None:
    for url, is_listed in (("", False), ("https://ghost.example.org", True)):
        settings.GHOST_URL = url
        assert ("Members in Ghost" in client.get("/admin/").content.decode()) is is_listed


def test_a_list_is_called_as_in_the_navigation(client: Client, editor: User) -> None:
    for url, name in (
        ("campaigns/checkout/", "Purchases"),
        ("auditlog/logentry/", "History"),
        ("campaigns/optout/", "Opt-outs of reminders"),
    ):
        assert f"<h1>{name}</h1>" in client.get(f"/admin/{url}").content.decode()


def test_an_empty_list_says_why(client: Client, editor: User) -> None:
    url = "/admin/campaigns/payment/"
    assert "Nothing here yet." in client.get(url).content.decode()
    for query in ({"q": "nobody"}, {"role__exact": "first"}):
        assert "Nothing found." in client.get(url, query).content.decode()


def test_a_list_links_to_the_rows_that_belong_to_its_rows(client: Client, editor: User) -> None:
    page = client.get("/admin/campaigns/erasure/").content.decode()
    assert 'href="/admin/campaigns/erasedaddress/"' in page


@pytest.mark.parametrize("role", ["report reader", "publisher", "supporter desk", "finance"])
def test_the_home_page_links_to_nothing_that_the_viewer_may_not_open(
    client: Client, trainee: User, rows: Campaign, role: str
) -> None:
    trainee.groups.add(Group.objects.get(name=role))
    Problem.objects.all().delete()
    for kind in Problem.Kind:
        Problem.objects.create(kind=kind, begun_at=timezone.now())
    page = client.get("/admin/").content.decode()
    main = page.partition('id="content-main"')[2].partition("</footer>")[0]
    links = sorted({html.unescape(url) for url in re.findall(r'href="(/admin/[^"#]+)"', main)})
    assert links
    assert {url: client.get(url).status_code for url in links} == dict.fromkeys(links, 200)
    assert ('id="desk-search"' in page) is (role in {"supporter desk", "finance"})
