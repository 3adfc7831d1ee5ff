"""Scenes of newsletters that Ghost sends."""

from django.utils import timezone

from campaigns import ghost
from campaigns.models import GhostMember, Newsletter, Subscription
from campaigns.newsletters import (
    confirm_subscription,
    end_subscription,
    erase_subscriptions,
    request_subscription,
)
from tests.ghost.life import LABEL, Stage, sync
from tests.support.erasures import erase
from tests.support.ghost_admin import labels_of


def pass_newsletters_on(stage: Stage) -> None:
    """Members get in Ghost what they chose here, and who leaves it there has left it here."""
    letter = Newsletter.objects.create(slug="daily", name="Daily", ghost_slug="default-newsletter")
    email = "letters@example.org"

    def subscribe() -> Subscription:
        now = timezone.now()
        asked = request_subscription(letter, email, at=now)
        confirm_subscription(asked, proof=Subscription.Proof.LINK, at=now)
        return asked

    def read() -> list[str]:
        return [each["id"] for each in stage.admin.read(email)["newsletters"]]

    subscription = subscribe()
    stage.grant(email)
    [chosen] = read()
    stage.admin.change(stage.admin.read(email), newsletters=[])
    ghost.compare_with_ghost()
    sync()
    subscription.refresh_from_db()
    assert (read(), subscription.status, subscription.cause) == ([], "unsubscribed", "tool")
    subscribe()
    sync()
    assert read() == [chosen]
    end_subscription(subscription, cause=Subscription.Cause.READER, at=timezone.now())
    sync()
    assert read() == []
    assert ghost.compare_with_ghost(dry_run=True).is_equal


def add_subscribers(stage: Stage) -> None:
    """Readers who only get a newsletter are free members in Ghost until they join."""
    letter = Newsletter.objects.create(slug="daily", name="Daily", ghost_slug="default-newsletter")
    now, emails = timezone.now(), ("joins@example.org", "stays@example.org")
    for email in emails:
        asked = request_subscription(letter, email, at=now)
        sync()
        assert stage.admin.find(email) is None, "not confirmed"
        confirm_subscription(asked, proof=Subscription.Proof.LINK, at=now)
        sync()
        reader = stage.admin.read(email)
        assert (reader["status"], len(reader["newsletters"])) == ("free", 1)
    assert ghost.compare_with_ghost(dry_run=True).is_equal
    member = stage.join("joins@example.org")
    joined = stage.admin.read("joins@example.org")
    assert (joined["status"], labels_of(joined)) == ("comped", [LABEL])
    assert not GhostMember.objects.filter(email="joins@example.org").exists()
    end_subscription(asked, cause=Subscription.Cause.READER, at=now)
    sync()
    assert stage.admin.read("stays@example.org")["newsletters"] == []
    erase(member)
    erase_subscriptions(["stays@example.org"], at=now)
    sync()
    assert not {*emails} & {each["email"] for each in stage.admin.list_members()}
    assert not GhostMember.objects.exists()
