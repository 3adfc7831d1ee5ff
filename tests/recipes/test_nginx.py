"""The recipe for nginx, run by nginx: pages for members only."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import LazySettings
from django.utils import timezone

from campaigns import members
from tests.support.factories import make_member
from tests.support.nginx import run_nginx
from tests.support.sales import make_subscription
from tests.support.servers import find_free_port

RECIPE = Path(__file__).resolve().parents[2] / "docs" / "recipes" / "nginx.conf"
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.once,
    pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed"),
]


def write_configuration(folder: Path, *, port: int, members_url: str) -> str:
    """Write the recipe for this machine: its addresses, without TLS."""
    text = RECIPE.read_text("utf-8")
    for before, after in (
        ("https://members.example.org", members_url),
        ("https://www.example.org", f"http://127.0.0.1:{port}"),
        ("listen 443 ssl;", f"listen 127.0.0.1:{port}; root {folder / 'site'};"),
        ("server_name www.example.org;", "server_name 127.0.0.1;"),
        ("/var/cache/nginx-membership", str(folder / "cache")),
        ("Secure; ", ""),
    ):
        assert before in text, before
        text = text.replace(before, after)
    pages = folder / "site" / "members-only"
    pages.mkdir(parents=True)
    for name in ("story.html", "війна.html"):
        (pages / name).write_text("<h1>Only for members</h1>")
    return text


@pytest.fixture
def site(tmp_path: Path, live_server: Any, settings: LazySettings) -> Iterator[str]:
    """The newspaper's site behind nginx."""
    port = find_free_port()
    url = f"http://127.0.0.1:{port}"
    settings.ACCESS_RETURN_URLS = [f"{url}/members/in/"]
    servers = write_configuration(tmp_path, port=port, members_url=live_server.url)
    with run_nginx(tmp_path, servers, url=url):
        yield url


def visit(url: str, cookie: str = "") -> requests.Response:
    cookies = {"membership": cookie} if cookie else {}
    return requests.get(url, cookies=cookies, allow_redirects=False, timeout=10)


def test_members_read_and_others_sign_in_or_join(site: str, live_server: Any) -> None:
    ada, ben = make_member("ada@example.org"), make_member("ben@example.org")
    make_subscription(member=ada)
    story = f"{site}/members-only/story.html"
    stranger = visit(story)
    assert stranger.status_code == 303
    to = f"{site}/members/in/members-only/story.html"
    assert stranger.headers["Location"] == f"{live_server.url}/membership/account/continue/?to={to}"
    assert members.is_allowed_return(to)
    back = visit(members.add_token(to, ada, at=timezone.now()))
    assert back.status_code == 303
    assert back.headers["Location"].endswith("/members-only/story.html")
    assert "token" not in back.headers["Location"]
    assert "HttpOnly" in back.headers["Set-Cookie"]
    token = back.cookies["membership"]
    for _ in range(3):
        page = visit(story, token)
        assert (page.status_code, page.text) == (200, "<h1>Only for members</h1>")
    back = visit(members.add_token(to, ben, at=timezone.now()))
    without = visit(story, back.cookies["membership"])
    assert without.headers["Location"] == f"{live_server.url}/membership/join/"
    assert visit(story, token[:-4]).status_code == 303


def test_a_page_in_other_letters_is_returned_to(site: str, live_server: Any) -> None:
    ada = make_member("ada@example.org")
    make_subscription(member=ada)
    path = "/members-only/%D0%B2%D1%96%D0%B9%D0%BD%D0%B0.html"
    stranger = visit(f"{site}{path}?utm_source=x&y=1")
    to = f"{site}/members/in{path}"
    assert stranger.headers["Location"].startswith(
        f"{live_server.url}/membership/account/continue/?to={to}?utm_source"
    )
    back = visit(members.add_token(to, ada, at=timezone.now()))
    assert back.headers["Location"] == site + path
    assert visit(site + path, back.cookies["membership"]).text == "<h1>Only for members</h1>"


@pytest.mark.parametrize(
    "path",
    [
        "/members/in/x%0d%0aSet-Cookie:%20a=b",
        "/members/in/x?membership_token=a%0d%0aX:y",
        "/members/in/x?membership_token=a;%20Domain=example.org",
        "/members/in//evil.example/",
        "/members/in/%2F/evil.example/",
        "/members/in/%5C/evil.example/",
        "/members/in/%0d%0aX:y",
    ],
)
def test_nothing_is_smuggled_into_the_answer(site: str, path: str) -> None:
    answer = visit(site + path)
    assert "a=b" not in answer.headers.get("Set-Cookie", "")
    assert "Domain" not in answer.headers.get("Set-Cookie", "")
    assert "X" not in answer.headers
    assert "evil.example/" not in answer.headers.get("Location", "").partition("//")[0]
    assert not answer.headers.get("Location", "").startswith("//")
