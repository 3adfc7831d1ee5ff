"""The template tag: a published banner in an article of ours."""

from datetime import timedelta
from html import unescape

import pytest
from django.conf import LazySettings, settings
from django.template import engines
from django.test import RequestFactory
from django.utils import timezone

from campaigns.banners import publish_campaign
from tests.support.factories import make_campaign

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture(autouse=True)
def published() -> None:
    now = timezone.now()
    campaign = make_campaign(starts_at=now - timedelta(days=9), ends_at=now + timedelta(days=9))
    publish_campaign(campaign.pk)


def show(arguments: str, *, url: str = "/news/bridge/", nonce: str = "") -> str:
    request = RequestFactory().get(url)
    if nonce:
        request.csp_nonce = nonce  # type: ignore[attr-defined]
    template = engines["django"].from_string(f"{{% load campaigns %}}{{% banner {arguments} %}}")
    return str(template.render({}, request))


def test_links_name_the_article_and_its_utm_parameters() -> None:
    html = show(
        '"birthday" "inline" title="Tea & <b>cake</b>"', url="/news/bridge/?utm_source=a%22b&x=1"
    )
    for form in ("join", "gift"):
        address = (
            f"{settings.SITE_URL}/campaign/birthday/{form}/?from=inline"
            "&page=http%3A%2F%2Ftestserver%2Fnews%2Fbridge%2F"
            "&title=Tea+%26+%3Cb%3Ecake%3C%2Fb%3E&utm_source=a%22b"
        )
        assert f'href="{address}"' in unescape(html)
    assert "x=1" not in html


def test_an_article_without_a_request_shows_the_file_as_it_is() -> None:
    template = engines["django"].from_string('{% load campaigns %}{% banner "birthday" "end" %}')
    file = settings.PUBLISH_DIR / "birthday" / "en" / "end.html"
    assert template.render({}) == file.read_text("ascii")


def test_styles_and_script_carry_the_nonce_of_the_pages_policy() -> None:
    html = show('"birthday" "top"', nonce="n0nce")
    assert html.count('<style nonce="n0nce">') == html.count('<script nonce="n0nce">') == 1
    assert "<style>" not in html
    assert "nonce=" not in show('"birthday" "top"')


def test_a_page_chooses_the_scheme() -> None:
    assert 'data-scheme="dark"' in show('"birthday" "top" scheme="dark"')
    assert 'data-scheme="auto"' in show('"birthday" "top" scheme="pink"')


def test_a_member_is_thanked_or_left_alone(settings: LazySettings) -> None:
    html = show('"birthday" "end" member=True')
    assert "Thank you for being a member" in html
    assert "Become a member" not in html
    assert "of 1,000 new members" not in html
    settings.BANNER_FOR_MEMBERS = "NOTHING"
    publish_campaign(make_campaign(slug="other").pk)
    assert show('"other" "end" member=True') == ""


def test_forms_and_thanks_have_no_banner() -> None:
    folder = settings.BASE_DIR / "templates" / "campaigns" / "readers"
    templates = [path.read_text() for path in folder.rglob("*.html")]
    assert len(templates) > 20
    assert not [text for text in templates if "{% banner " in text or "campaign-banner" in text]
