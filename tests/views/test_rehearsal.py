"""A rehearsal says on every page that no real money moves."""

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client

from campaigns.models import Campaign

NOTICE = "This is a rehearsal. No real money is charged."
PAGES = ["/campaign/birthday/", "/campaign/birthday/join/", "/claim/", "/admin/login/", "/nowhere/"]


@pytest.mark.parametrize("page", PAGES)
def test_every_page_of_a_rehearsal_says_so(
    page: str, campaign: Campaign, client: Client, settings: LazySettings
) -> None:
    assert NOTICE not in client.get(page).content.decode()
    settings.REHEARSAL = True
    assert NOTICE in client.get(page).content.decode()


def test_the_admin_of_a_rehearsal_says_so(
    client: Client, settings: LazySettings, transactional_db: None
) -> None:
    client.force_login(User.objects.create_superuser("editor"))
    settings.REHEARSAL = True
    assert NOTICE in client.get("/admin/").content.decode()
