"""The recipes for Django sites: signed tokens, and webhooks."""

import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.conf import LazySettings
from django.core.cache import cache
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from campaigns import actions, deliveries, erasures, jobs, members, memberships
from campaigns.models import Member, WebhookEndpoint
from tests.hosts.server import run_server
from tests.support.factories import make_member
from tests.support.receiver import LOOPBACK, list_names
from tests.support.sales import make_subscription

RECIPES = Path(__file__).resolve().parents[2] / "docs" / "recipes"
SITE = "https://www.example.org"
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]


def load(name: str) -> Any:
    """Load a recipe as a module."""
    spec = spec_from_file_location(name, RECIPES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def recipe(live_server: Any, settings: LazySettings) -> Any:
    settings.SITE_URL = live_server.url
    settings.MEMBERS_URL = live_server.url
    settings.ACCESS_RETURN_URLS = [f"{SITE}/members/in"]
    return load("django_membership")


def visit(recipe: Any, rf: RequestFactory, cookie: str = "") -> HttpResponse:
    def show_story(request: HttpRequest) -> HttpResponse:
        return HttpResponse("for members")

    request = rf.get("/stories/7?page=2")
    request.COOKIES = {"membership": cookie}
    answer: HttpResponse = recipe.members_only(show_story)(request)
    return answer


def take_cookie(recipe: Any, rf: RequestFactory, member: Any) -> str:
    to = members.add_token(f"{SITE}/members/in?next=/stories/7", member, at=timezone.now())
    response = recipe.come_back(rf.get(to.removeprefix(SITE)))
    assert response["Location"] == "/stories/7"
    value: str = response.cookies["membership"].value
    return value


def test_a_site_checks_tokens_with_the_published_key(recipe: Any, rf: RequestFactory) -> None:
    ada, ben = make_member("ada@example.org"), make_member("ben@example.org")
    make_subscription(member=ada)
    stranger = visit(recipe, rf)
    [to] = parse_qs(urlsplit(stranger["Location"]).query)["to"]
    assert members.is_allowed_return(to)
    assert parse_qs(urlsplit(to).query) == {"next": ["/stories/7?page=2"]}
    token = take_cookie(recipe, rf, ada)
    assert visit(recipe, rf, token).content == b"for members"
    assert visit(recipe, rf, token[:-4]).status_code == 302
    without = visit(recipe, rf, take_cookie(recipe, rf, ben))
    assert without["Location"].endswith("/membership/join/")
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        assert "continue" in visit(recipe, rf, token)["Location"]


def test_a_token_for_another_site_is_refused(
    recipe: Any, rf: RequestFactory, settings: LazySettings
) -> None:
    ada = make_member("ada@example.org")
    make_subscription(member=ada)
    url = members.add_token("https://blog.example.org/", ada, at=timezone.now())
    token = parse_qs(urlsplit(url).query)["membership_token"][0]
    assert "continue" in visit(recipe, rf, token)["Location"]


def test_the_site_is_left_by_no_address_in_next(recipe: Any, rf: RequestFactory) -> None:
    for story in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        response = recipe.come_back(rf.get("/members/in", {"next": story}))
        assert response["Location"] == "/"


# Webhooks


def announce(member: Member) -> None:
    memberships.announce_access([member])
    jobs.run_due_jobs("webhooks")


@pytest.fixture
def copies(settings: LazySettings) -> Iterator[Any]:
    """The site that copies members, as an endpoint of ours."""
    settings.OUTGOING_NETWORKS = LOOPBACK
    recipe = load("django_webhooks")
    recipe.sent = []

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = WSGIRequest(environ)
        response = recipe.receive(request)
        recipe.receive(request)  # an answer that was lost: it arrives again
        recipe.sent.append(response.status_code)
        start_response(f"{response.status_code} {response.reason_phrase}", [])
        return [response.content]

    with run_server(answer) as url:
        endpoint = WebhookEndpoint.objects.create(name="Site", url=url, events=list_names())
        settings.MEMBERS_WEBHOOK_SECRET = endpoint.secret
        cache.clear()
        yield recipe
    sys.modules.pop("django_webhooks", None)


def test_a_site_copies_members_from_webhooks(copies: Any) -> None:
    ada = make_member("ada@example.org")
    announce(ada)
    deliveries.send_test(WebhookEndpoint.objects.get())
    assert copies.People.rows == {}
    make_subscription(member=ada)
    announce(ada)
    assert copies.People.rows[ada.pk]["email"] == "ada@example.org"
    assert copies.People.rows[ada.pk]["is_member"]
    members.set_address(ada, "ada@new.example", at=timezone.now())
    other = make_member("ada2@example.org")
    make_subscription(member=other)
    announce(other)
    assert len(copies.People.rows) == 2
    actions.merge_members(kept=ada, gone=other)
    announce(ada)
    assert list(copies.People.rows) == [ada.pk]
    assert copies.People.rows[ada.pk]["email"] == "ada@new.example"
    ada.memberships.update(status="ended", ended_at=timezone.now())
    announce(ada)
    assert not copies.People.rows[ada.pk]["is_member"]
    erasures.request_erasure(ada)
    jobs.run_due_jobs("webhooks")
    assert copies.People.rows == {}
    assert set(copies.sent) == {200}


def test_a_webhook_that_is_not_signed_is_refused(copies: Any, rf: RequestFactory) -> None:
    answer = copies.receive(rf.post("/", b"{}", content_type="application/json"))
    assert answer.status_code == 400
