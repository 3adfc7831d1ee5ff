"""The first page, and the links to the newspaper."""

import pytest
from django.conf import LazySettings
from django.test import Client, RequestFactory

from campaigns.views.readers import redirect_home
from tests.support.factories import make_campaign
from tests.support.mails import html_of, make_mail_of_kind, send_mail, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.once]
NEWSPAPER = "https://www.example.org/news/"


def open_home() -> str:
    """Return where the first page leads. The demo of the tests has its own first page."""
    answer = redirect_home(RequestFactory().get("/"))
    assert answer.status_code == 302
    return answer["Location"]


def test_the_first_page_leads_to_the_newspaper(settings: LazySettings) -> None:
    make_campaign()
    settings.NEWSPAPER_URL = NEWSPAPER
    assert open_home() == NEWSPAPER


def test_without_a_newspaper_the_first_page_leads_to_the_campaign(client: Client) -> None:
    assert open_home() == "/membership/account/"
    assert client.get(open_home()).status_code == 200
    campaign = make_campaign()
    assert open_home() == f"/campaign/{campaign.slug}/"


@pytest.mark.parametrize("newspaper", [NEWSPAPER, ""])
def test_pages_and_emails_link_to_the_newspaper(
    client: Client, settings: LazySettings, newspaper: str
) -> None:
    settings.NEWSPAPER_URL = newspaper
    linked = newspaper or f"{settings.SITE_URL}/"
    page = client.get("/nowhere/")
    assert page.status_code == 404
    assert page.content.decode().count(f'href="{linked}"') == 2, "the masthead and the button"
    sent = send_mail(make_mail_of_kind("receipt", None))
    assert f'href="{linked}"' in html_of(sent)
    assert f"\n{linked}\n" in text_of(sent)
