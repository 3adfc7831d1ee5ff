"""The plugin for WordPress: members get a role there, and posts have parts for members."""

import http.client
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings
from django.utils import timezone

from campaigns import actions, deliveries, erasures, jobs, members, memberships
from campaigns.deliveries.signatures import make_headers
from campaigns.models import ApiClient, Member, MemberAccess, WebhookDelivery, WebhookEndpoint
from campaigns.models.webhook import make_webhook_secret
from newsroom.demo.processes import find_free_port
from tests.support.factories import make_member
from tests.support.processes import is_listening, wait_until
from tests.support.receiver import LOOPBACK, list_names
from tests.support.sales import make_subscription
from tests.support.wordpress import WordPress, run_php, run_wordpress

PLUGIN = Path(__file__).resolve().parents[2] / "docs" / "recipes" / "wordpress-membership.php"
STAND_IN = Path(__file__).parent / "wordpress"
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.once,
    pytest.mark.xdist_group("wordpress"),  # PHP knows the real time only
    pytest.mark.skipif(not shutil.which("php"), reason="PHP is not installed"),
]
SECRET = make_webhook_secret()
# Only while a test has written the file, the plugin may ask us about addresses.
DEFINE_TOKEN = (
    "$asked = json_decode((string) @file_get_contents(__DIR__ . '/newsroom.json'), true);"
    "foreach ((array) $asked as $name => $value) { define($name, $value); }"
)
LOAD = "require $argv[1] . '/wp-config.php';"
ADD_USER = (
    "wp_insert_user(['user_login' => $argv[2], 'user_email' => $argv[2], 'user_pass' => 'x']);"
)
ROLES = "echo json_encode(array_values(get_user_by('email', $argv[2])->roles));"
SHOW = (
    "$user = get_user_by('email', $argv[2]);"
    "wp_set_current_user($user ? ($user->ID ?? $argv[2]) : 0);"
    "echo do_shortcode('[members_only]the secret[/members_only]');"
)


@pytest.fixture(
    scope="module", params=["stand-in", pytest.param("real", marks=pytest.mark.thorough)]
)
def installed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WordPress]:
    """A site: the part of WordPress that the plugin uses, or a real WordPress."""
    folder = tmp_path_factory.mktemp("wordpress") / "site"
    run = run_stand_in if request.param == "stand-in" else run_wordpress
    with run(folder) as site:
        plugins = site.folder / "wp-content" / "mu-plugins"
        plugins.mkdir(parents=True, exist_ok=True)
        (plugins / "a-secret.php").write_text(
            f"<?php define('NEWSROOM_WEBHOOK_SECRET', '{SECRET}'); {DEFINE_TOKEN}"
        )
        shutil.copy(PLUGIN, plugins)
        yield site


@contextmanager
def run_stand_in(folder: Path) -> Iterator[WordPress]:
    shutil.copytree(STAND_IN, folder)
    port = find_free_port()
    with subprocess.Popen(
        ["php", "-d", "display_errors=0", "-S", f"127.0.0.1:{port}", "-t", str(folder)],
        env={"PHP_CLI_SERVER_WORKERS": "4", "PATH": "/usr/bin:/bin"},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            wait_until(lambda: is_listening(port), seconds=30)
            yield WordPress(f"http://127.0.0.1:{port}", folder)
        finally:
            os.killpg(server.pid, signal.SIGTERM)  # its workers would outlive it


@pytest.fixture
def site(installed: WordPress, settings: LazySettings) -> WordPress:
    """The site, as an endpoint of ours."""
    settings.OUTGOING_NETWORKS = LOOPBACK
    WebhookEndpoint.objects.create(
        name="WordPress", url=hook_of(installed), events=list_names(), secret=SECRET
    )
    return installed


@pytest.fixture
def token(site: WordPress, live_server: Any) -> Iterator[str]:
    """The token with which the site asks us about addresses."""
    client = ApiClient(name="WordPress")
    token = members.make_token(client)
    client.save()
    file = site.folder / "wp-content" / "mu-plugins" / "newsroom.json"
    file.write_text(json.dumps({"NEWSROOM_URL": f"{live_server.url}/", "NEWSROOM_TOKEN": token}))
    yield token
    file.unlink()


def hook_of(site: WordPress) -> str:
    return f"{site.url}/index.php?rest_route=/newsroom/v1/webhook"


def ask(site: WordPress, code: str, *arguments: str) -> str:
    return run_php(LOAD + code, str(site.folder), *arguments)


def is_member(site: WordPress, email: str) -> bool:
    """Return whether a user has the role, which is so if the shortcode shows them all."""
    has_role = "newsroom_member" in json.loads(ask(site, ROLES, email))
    assert ("the secret" in ask(site, SHOW, email)) == has_role
    return has_role


def announce(member: Member) -> None:
    memberships.announce_access([member])
    deliver()


def deliver() -> None:
    jobs.run_due_jobs("webhooks")
    assert set(WebhookDelivery.objects.values_list("status", flat=True)) <= {200}


def make_reader(site: WordPress, name: str) -> Member:
    """Make a member of ours who has an account there."""
    ask(site, ADD_USER, f"{name}@example.org")
    member = make_member(f"{name}@example.org")
    make_subscription(member=member)
    return member


def send(site: WordPress, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
    url = urlsplit(hook_of(site))
    connection = http.client.HTTPConnection(url.netloc)
    headers = {"Content-Type": "application/json", **headers}
    connection.request("POST", f"{url.path}?{url.query}", body, headers)
    answer = connection.getresponse()
    text = json.loads(answer.read())
    connection.close()
    return answer.status, text


def write_joined(email: str, number: int = 900) -> bytes:
    person = {"id": number, "email": email, "name": "", "language": "en"}
    access = {"has_access": True, "until": None}
    event = {"type": "member.joined", "data": {"member": person, "access": access}}
    return json.dumps(event).encode()


def test_a_member_has_the_role_from_joining_to_the_erasure(site: WordPress) -> None:
    ada = make_reader(site, "ada")
    assert not is_member(site, "ada@example.org")
    assert "This part is for members." in ask(site, SHOW, "nobody@example.org")
    announce(ada)
    assert is_member(site, "ada@example.org")
    ada.memberships.update(status="ended", ended_at=timezone.now())
    announce(ada)
    assert not is_member(site, "ada@example.org")
    ada.memberships.update(status="active", ended_at=None)
    announce(ada)
    assert is_member(site, "ada@example.org")
    erasures.request_erasure(ada)
    deliver()
    assert not is_member(site, "ada@example.org")
    assert "subscriber" in ask(site, ROLES, "ada@example.org"), "other roles stay"


def test_the_role_follows_the_address(site: WordPress) -> None:
    eva = make_reader(site, "eva")
    announce(eva)
    ask(site, ADD_USER, "eva.new@example.org")
    members.set_address(eva, "eva.new@example.org", at=timezone.now())
    announce(eva)
    assert is_member(site, "eva.new@example.org")
    assert not is_member(site, "eva@example.org")
    other = make_reader(site, "eva2")
    announce(other)
    actions.merge_members(kept=eva, gone=other)
    announce(eva)
    assert not is_member(site, "eva2@example.org")


def test_an_address_that_went_to_another_member_stays_theirs(site: WordPress) -> None:
    """The events of two people arrive in any order."""
    shared = "desk@example.org"
    ask(site, ADD_USER, shared)
    moved = json.loads(write_joined("fay@example.org", 903)) | {"type": "member.address_changed"}
    moved["data"]["previous"] = {"id": 903, "email": shared}
    for number, raw in enumerate(
        (write_joined(shared, 903), write_joined(shared, 904), json.dumps(moved).encode())
    ):
        headers = make_headers(f"msg_desk{number}", raw, secrets=[SECRET], at=timezone.now())
        assert send(site, raw, headers) == (200, {"state": "taken"})
    assert is_member(site, shared)


def test_an_account_that_is_made_later_is_a_members(site: WordPress) -> None:
    late = make_member("late@example.org")
    make_subscription(member=late)
    announce(late)
    ask(site, ADD_USER, "late@example.org")
    assert is_member(site, "late@example.org")


def test_access_ends_on_its_day_even_without_a_webhook(site: WordPress) -> None:
    ask(site, ADD_USER, "dan@example.org")
    body = json.loads(write_joined("dan@example.org", 901))
    body["data"]["access"]["until"] = (timezone.now() - timedelta(hours=1)).isoformat()
    raw = json.dumps(body).encode()
    headers = make_headers("msg_dan", raw, secrets=[SECRET], at=timezone.now())
    assert send(site, raw, headers) == (200, {"state": "taken"})
    assert not is_member(site, "dan@example.org")


@pytest.mark.usefixtures("token")
def test_the_newsroom_is_asked_about_an_address_that_no_webhook_named(site: WordPress) -> None:
    gus = make_member("gus@example.org")
    make_subscription(member=gus)
    MemberAccess.objects.create(member=gus, due_at=timezone.now())
    jobs.run_due_jobs("accesses")  # noted before the endpoint was added: no webhook is sent
    for name in ("gus", "nobody.known"):
        ask(site, ADD_USER, f"{name}@example.org")
    assert is_member(site, "gus@example.org")
    assert not is_member(site, "nobody.known@example.org")
    ApiClient.objects.all().delete()
    assert is_member(site, "gus@example.org"), "the answer is kept for an hour"
    gus.memberships.update(status="ended", ended_at=timezone.now())
    announce(gus)
    assert not is_member(site, "gus@example.org"), "webhooks know better"


@pytest.mark.usefixtures("token")
def test_a_member_who_was_only_asked_about_is_forgotten_at_once(site: WordPress) -> None:
    hal = make_member("hal@example.org")
    make_subscription(member=hal)
    ask(site, ADD_USER, "hal@example.org")
    assert is_member(site, "hal@example.org")
    erasures.request_erasure(hal)
    deliver()
    assert not is_member(site, "hal@example.org")


@pytest.mark.usefixtures("token")
def test_without_an_answer_nobody_is_a_member(site: WordPress) -> None:
    ApiClient.objects.all().delete()  # the token is refused
    make_subscription(member=make_member("ida@example.org"))
    ask(site, ADD_USER, "ida@example.org")
    assert not is_member(site, "ida@example.org")


def test_only_a_right_and_recent_signature_is_taken(site: WordPress) -> None:
    ask(site, ADD_USER, "ben@example.org")
    body, now = write_joined("ben@example.org"), timezone.now()
    headers = make_headers("msg_ben", body, secrets=[SECRET], at=now)
    old = make_headers("msg_ben", body, secrets=[SECRET], at=now - timedelta(minutes=6))
    early = make_headers("msg_ben", body, secrets=[SECRET], at=now + timedelta(minutes=6))
    other = make_headers("msg_ben", body, secrets=[make_webhook_secret()], at=now)
    for status, wrong in (
        (400, {}),
        (400, other),
        (400, old),
        (400, early),
        (400, headers | {"webhook-id": "msg_other"}),
        (400, headers | {"webhook-timestamp": old["webhook-timestamp"]}),
        (400, headers | {"webhook-signature": "v1,AAAA"}),
    ):
        assert send(site, body, wrong)[0] == status, wrong
    assert send(site, body.replace(b"ben@", b"eve@"), headers)[0] == 400
    assert not is_member(site, "ben@example.org")
    rotated = make_headers("msg_ben", body, secrets=[make_webhook_secret(), SECRET], at=now)
    assert send(site, body, rotated) == (200, {"state": "taken"})
    assert is_member(site, "ben@example.org")


def test_a_site_without_the_secret_says_so(site: WordPress) -> None:
    file = site.folder / "wp-content" / "mu-plugins" / "a-secret.php"
    moved = file.rename(file.with_suffix(".gone"))
    try:
        delivery = deliveries.send_test(WebhookEndpoint.objects.get())
    finally:
        moved.rename(file)
    assert delivery.status == 503
    assert "NEWSROOM_WEBHOOK_SECRET" in delivery.answer


def test_a_webhook_that_arrives_again_changes_nothing(site: WordPress) -> None:
    ask(site, ADD_USER, "cleo@example.org")
    body = write_joined("cleo@example.org", 902)
    lapsed = body.replace(b"member.joined", b"member.lapsed").replace(b"true", b"false")
    for name, raw, state in (("a", body, "taken"), ("b", lapsed, "taken"), ("a", body, "known")):
        headers = make_headers(f"msg_{name}", raw, secrets=[SECRET], at=timezone.now())
        assert send(site, raw, headers) == (200, {"state": state})
    assert not is_member(site, "cleo@example.org")
