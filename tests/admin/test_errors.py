"""Errors in the lists of the admin."""

import pytest
from django.test import Client
from django.utils import timezone

from campaigns.errors import KINDS
from campaigns.models import JobFailure, StripeEvent
from campaigns.models.moves import ForbiddenMove
from tests.support.staff import admin_url, read_page

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("editor")
def test_no_class_of_an_error_is_shown_in_the_lists_of_staff(client: Client) -> None:
    now = timezone.now()
    for kind in KINDS:
        JobFailure.objects.create(job="mails", row=kind, error=kind)
    StripeEvent.objects.create(
        event_id="evt_1",
        type="customer.updated",
        status=StripeEvent.Status.FAILED,
        error=f"{ForbiddenMove.__name__}: The status can’t change.",
        created_at=now,
        received_at=now,
    )
    failures = read_page(client.get(admin_url(JobFailure, "changelist")))
    assert "Another process is settling the same Checkout." in failures
    assert 'field-failure">SettlementBusy' not in failures
    for url in (
        admin_url(StripeEvent, "changelist"),
        admin_url(StripeEvent, "change", StripeEvent.objects.get().pk),
    ):
        page = read_page(client.get(url))
        assert "The present status of the row doesn’t allow this change." in page
        assert "ForbiddenMove" not in page
