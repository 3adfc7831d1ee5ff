"""The newsroom's look in the admin: what is refused, and where a saved look shows."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from campaigns.banners import publish_campaign
from campaigns.models import Campaign, Look
from tests.support.staff import admin_url, fill_in, grant_permissions

pytestmark = [pytest.mark.django_db, pytest.mark.once]

ADD = "/admin/campaigns/look/add/"
LOGO = '<svg viewBox="0 0 10 10"><path d="M0 0h10v10z" fill="#123456"/></svg>'


def save(client: Client, url: str = ADD, **fields: str) -> Any:
    empty = {field.name: "" for field in Look._meta.concrete_fields}
    return client.post(url, empty | fields)


@pytest.mark.usefixtures("editor")
def test_a_saved_look_shows_on_pages_and_in_the_admin(client: Client, birthday: Campaign) -> None:
    publish_campaign(birthday.pk)
    before = client.get("/claim/").content.decode()
    assert "look.css" not in before
    response = save(client, name="The Evening Post", logo=LOGO, accent="#8a1538", paper="#ffffff")
    assert response.status_code == 302, response.context["errors"]
    birthday.refresh_from_db()
    assert publish_campaign(birthday.pk)
    for page in ("/claim/", "/campaign/birthday/en/"):
        html = client.get(page).content.decode()
        assert "The Evening Post" in html
        assert 'fill="#123456"' in html  # the logo
        assert '(prefers-color-scheme: light)" content="#ffffff">' in html
        href = html.partition("look.css?v=")[0].rpartition('href="')[2] + "look.css"
        css = client.get(href).content.decode()
        assert "--campaign-accent: #8a1538;" in css
    assert "The Evening Post" in client.get("/admin/").content.decode()
    svg = client.get("/campaign/birthday/en/newsletter.svg").content.decode()
    assert "#8a1538" in svg
    assert "The Evening Post" in svg


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize(
    ("colours", "field", "ratio"),
    [
        ({"accent": "#7fb3d5"}, "accent", "2.16"),
        ({"ink": "#8a8a8a"}, "ink", "3.30"),
        ({"dark_paper": "#ffffff"}, "dark_ink", "1.22"),
    ],
)
def test_colours_below_aa_are_refused_with_their_contrast(
    client: Client, colours: dict[str, str], field: str, ratio: str
) -> None:
    response = save(client, **colours)
    errors = response.context["adminform"].form.errors
    assert f": the contrast is {ratio} to 1" in errors[field][0]
    assert not Look.objects.exists()
    # Nothing typed is lost.
    assert f'value="{next(iter(colours.values()))}"' in response.content.decode()


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize("typed", ["red", "#fff", "#12345g", "1d4e89", "rgb(0)"])
def test_what_is_no_colour_is_refused_beside_its_field(client: Client, typed: str) -> None:
    errors = save(client, accent=typed, paper=typed).context["adminform"].form.errors
    assert list(errors) == ["paper", "accent"]
    assert "for example #1d4e89" in errors["accent"][0]
    assert not Look.objects.exists()


@pytest.mark.usefixtures("editor")
def test_there_is_one_look(client: Client) -> None:
    listed = admin_url(Look, "changelist")
    assert client.get(listed)["Location"] == ADD
    save(client, name="The Evening Post")
    change = admin_url(Look, "change", 1)
    assert client.get(listed)["Location"] == change
    assert save(client, name="The Morning Post").status_code == 403
    client.post(change, fill_in(client, change, name=""))
    assert Look.objects.get().name == ""


def test_staff_without_the_permission_cant_change_it(client: Client, trainee: User) -> None:
    assert save(client).status_code == 403
    grant_permissions(trainee, "view_look")
    Look.objects.create()
    assert save(client, admin_url(Look, "change", 1), name="Mine").status_code == 403
