"""Links to the terms, the privacy notice and the withdrawal notice on readers' pages."""

import pytest
from django.conf import LazySettings
from django.test import Client

from campaigns.models import Campaign
from tests.support.pages import GIFT, JOIN

pytestmark = [pytest.mark.django_db, pytest.mark.once]

TERMS = '<a href="https://www.example.org/terms?a=1&amp;b=2">Terms</a>'


@pytest.mark.usefixtures("campaign")
@pytest.mark.parametrize("page", [JOIN, GIFT])
def test_forms_and_the_footer_link_to_the_legal_notices(
    client: Client, settings: LazySettings, page: str
) -> None:
    settings.TERMS_URL = "https://www.example.org/terms?a=1&b=2"
    settings.WITHDRAWAL_URL = "https://www.example.org/withdrawal"
    text = client.get(page).content.decode()
    assert text.count(TERMS) == 2
    assert text.index("Please read before you pay:") < text.index('id="send"')
    assert text.count(">Right of withdrawal</a>") == 2
    assert ">Privacy</a>" not in text
    assert client.get("/membership/").content.decode().count(TERMS) == 1


def test_pages_without_legal_notices_show_no_empty_list(client: Client, campaign: Campaign) -> None:
    text = client.get(JOIN).content.decode()
    assert "Legal notices" not in text
    assert "Please read before you pay" not in text
