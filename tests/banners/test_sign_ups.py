"""Newsletter sign-ups in articles: published files, the template tag, frames and the script."""

import re
from urllib.parse import urlsplit

import pytest
from django.conf import settings as site
from django.template import Context, Template
from django.test import Client, RequestFactory
from pytest_django import DjangoAssertNumQueries

from campaigns.banners import publish_campaign
from campaigns.models import Campaign, Newsletter, Subscription
from tests.support.factories import make_campaign
from tests.support.newsletters import ADA, make_newsletter

pytestmark = [pytest.mark.django_db, pytest.mark.once]

FOLDER = "/campaign/birthday/en/"


@pytest.fixture
def birthday() -> Campaign:
    return make_campaign()


def read(client: Client, name: str) -> str:
    return client.get(f"{FOLDER}{name}").content.decode()


def publish(campaign: Campaign, *slugs: str) -> None:
    for position, slug in enumerate(slugs):
        make_newsletter(slug, position=position, name=f"{slug} & <notes>")
    publish_campaign(campaign.pk)


def show_tag(path: str = "/a/?utm_source=x&page=y") -> str:
    request = RequestFactory().get(path, headers={"Host": "127.0.0.1"})
    template = Template('{% load campaigns %}{% newsletters "birthday" "signup" title="A & B" %}')
    return template.render(Context({"request": request}))


def test_an_article_shows_the_published_form_without_the_database(
    birthday: Campaign, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    publish(birthday, "morning", "war")
    with django_assert_num_queries(0):
        html = show_tag()
    assert html.startswith("<campaign-newsletters")
    assert "morning &amp; &lt;notes&gt;" in html
    assert " checked" not in html
    assert "<script" not in html
    [action] = re.findall(r'action="([^"]+)"', html)
    assert action == (
        f"{site.SITE_URL}/newsletters/?from=signup&amp;page=http%3A%2F%2F127.0.0.1%2Fa%2F"
        "&amp;title=A+%26+B&amp;utm_source=x"
    )
    parts = urlsplit(action.replace("&amp;", "&"))
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', html))
    fields = hidden | {"newsletters": ["war"], "email": ADA}
    assert client.post(f"{parts.path}?{parts.query}", fields).status_code == 303
    asked = Subscription.objects.get()
    assert (asked.campaign, asked.placement, asked.utm_source) == (birthday, "signup", "x")
    assert (asked.page_url, asked.page_title) == ("http://127.0.0.1/a/", "A & B")


def test_files_are_empty_once_nothing_is_offered(birthday: Campaign, client: Client) -> None:
    assert show_tag() == "", "nothing is published yet"
    publish(birthday, "morning")
    assert 'name="newsletters"' in show_tag()
    Newsletter.objects.update(is_offered=False)
    publish_campaign(birthday.pk)
    assert show_tag() == ""
    assert 'name="newsletters"' not in read(client, "signup-frame.html")
    assert "<form" not in read(client, "signupcard-frame.html")


def test_a_single_newsletter_needs_no_tick(birthday: Campaign) -> None:
    publish(birthday, "morning")
    assert '<input type="hidden" name="newsletters" value="morning">' in show_tag()


def test_a_frame_answers_inside_with_its_own_policy(birthday: Campaign, client: Client) -> None:
    publish(birthday, "morning", "war")
    frame = client.get(f"{FOLDER}signup-frame.html")
    page = frame.content.decode()
    assert frame["Content-Security-Policy"] == "base-uri 'none'"
    assert "default-src 'none'" in page
    [action] = re.findall(r'action="([^"]+)"', page)
    assert action == f"{site.SITE_URL}/newsletters/frame/?from=signup"
    url = f"{urlsplit(action).path}?from=signup&page=https://other.example/b"
    wrong = client.post(
        url, {"newsletters": "war", "email": "ada@gmial.com", "campaign": "birthday"}
    )
    shown = wrong.content.decode()
    assert wrong.status_code == 422
    assert wrong["Content-Security-Policy"] == "base-uri 'none'"
    assert "X-Frame-Options" not in wrong
    assert wrong["Access-Control-Allow-Origin"] == "*", "the script in the article reads it"
    assert "Did you mean ada@gmail.com?" in shown
    assert 'value="war" checked' in shown
    assert 'value="ada@gmial.com"' in shown
    [again] = re.findall(r'action="([^"]+)"', shown)
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', shown))
    parts = urlsplit(again.replace("&amp;", "&"))
    fields = hidden | {"newsletters": "war", "email": "ada@gmial.com"}
    done = client.post(f"{parts.path}?{parts.query}", fields)
    assert done["Access-Control-Allow-Origin"] == "*"
    assert done["Location"] == "/newsletters/frame/sent/?language=en&from=signup"
    sent = client.get(done["Location"])
    assert "We’ve sent you an e-mail." in sent.content.decode().replace("&#8217;", "’")
    assert "X-Frame-Options" not in sent
    asked = Subscription.objects.get()
    assert (asked.campaign, asked.page_url) == (birthday, "https://other.example/b")


def test_text_that_a_stranger_sends_to_a_frame_is_no_markup(
    birthday: Campaign, client: Client
) -> None:
    publish(birthday, "morning", "war")
    evil = '"><script>alert(1)</script>'
    page = client.post(
        f"/newsletters/frame/?from={evil}&page=https://x.example/{evil}&title={evil}",
        {"email": evil, "campaign": evil, "asked": evil, "language": evil, "newsletters": evil},
    )
    assert page.status_code == 422
    assert "<script>alert" not in page.content.decode()


def test_too_many_sign_ups_are_refused_inside_the_frame(birthday: Campaign, client: Client) -> None:
    publish(birthday, "morning", "war")
    answers = [client.post("/newsletters/frame/?from=signup", {"email": "x"}) for _ in range(31)]
    assert answers[-1].status_code == 429
    assert "X-Frame-Options" not in answers[-1]


def test_the_script_is_published_for_all_campaigns(birthday: Campaign, client: Client) -> None:
    publish(birthday)
    script = client.get("/campaign/newsletter.js")
    assert script["Content-Type"] == "text/javascript; charset=utf-8"
    assert script["Access-Control-Allow-Origin"] == "*"
    assert b"campaign-newsletters" in script.content
