"""Published files as newsroom.wsgi hands them out, before Django sees the request."""

import gzip
import io
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple
from wsgiref.util import setup_testing_defaults

import brotli
import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone
from structlog.testing import capture_logs

from campaigns.banners import publish_campaign
from newsroom.published import PublishedFiles
from tests.support.factories import make_campaign

pytestmark = [pytest.mark.django_db, pytest.mark.once]

BANNER = "/campaign/birthday/en/inline.html"
PAGE = "/campaign/birthday/en/"
NUMBER = "/campaign/birthday/progress.json"
PICTURE = "/campaign/birthday/en/picture.png"
FRAME = "/campaign/birthday/en/inline-frame.html"
COMPONENT = "/campaign/banner.js"


class Response(NamedTuple):
    status: str
    headers: dict[str, str]
    body: bytes


def django(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("404 Not Found", [("X-From", "Django")])
    return [b"Django"]


def get(path: str, *, method: str = "GET", query: str = "", **headers: str) -> Response:
    """Send a request to the wrapped application. Keywords name headers as WSGI does."""
    environ: dict[str, Any] = {"wsgi.input": io.BytesIO()}
    setup_testing_defaults(environ)
    environ |= {"PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": method}
    environ |= {f"HTTP_{name}": value for name, value in headers.items()}
    answered: list[Any] = []
    body = PublishedFiles(django)(environ, lambda status, found: answered.extend((status, found)))
    return Response(answered[0], dict(answered[1]), b"".join(body))


@pytest.fixture(autouse=True)
def published() -> None:
    now = timezone.now()
    campaign = make_campaign(starts_at=now - timedelta(days=10), ends_at=now + timedelta(days=20))
    publish_campaign(campaign.pk)


@pytest.mark.parametrize(
    ("path", "content_type", "part"),
    [
        (BANNER, "text/html; charset=utf-8", b"of 1,000 new members"),
        (PAGE, "text/html; charset=utf-8", b"<!DOCTYPE html>"),
        (NUMBER, "application/json", b'"counted": 0'),
        (PICTURE, "image/png", b"PNG"),
    ],
)
def test_a_file_is_answered_without_django(
    path: str, content_type: str, part: bytes, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        response = get(path)
    assert response.status == "200 OK"
    assert response.headers["Content-Type"] == content_type
    assert part in response.body
    assert response.headers["Content-Length"] == str(len(response.body))
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    policy = response.headers["Cache-Control"]
    assert "public, max-age=15" in policy
    assert "stale-while-revalidate=60" in policy
    assert "stale-if-error=86400" in policy
    head = get(path, method="HEAD")
    assert (head.status, head.headers, head.body) == (response.status, response.headers, b"")


def test_queries_are_ignored() -> None:
    assert get(PICTURE, query="x=17") == get(PICTURE)
    assert get(PAGE, query="from=top&language=uk") == get(PAGE)


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("br; q=0.0, *", "gzip"),
        ("identity", None),
        ("", None),
    ],
)
def test_a_text_is_compressed_as_the_reader_accepts(accepted: str, coding: str | None) -> None:
    plain = get(BANNER)
    response = get(BANNER, ACCEPT_ENCODING=accepted)
    assert response.headers.get("Content-Encoding") == coding
    assert response.headers["Vary"] == "Accept-Encoding"
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[coding]
    assert unpack(response.body) == plain.body
    assert "Content-Encoding" not in get(PICTURE, ACCEPT_ENCODING=accepted).headers


def test_an_unchanged_file_is_not_sent_again() -> None:
    first = get(BANNER, ACCEPT_ENCODING="br")
    assert first.headers["ETag"] != get(BANNER).headers["ETag"]
    for known in (first.headers["ETag"], f'W/{first.headers["ETag"]}, "other"', "*"):
        again = get(BANNER, ACCEPT_ENCODING="br", IF_NONE_MATCH=known)
        assert (again.status, again.body) == ("304 Not Modified", b"")
        assert again.headers["ETag"] == first.headers["ETag"]
        assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
    assert get(BANNER, ACCEPT_ENCODING="br", IF_NONE_MATCH='"other"').status == "200 OK"


def test_other_sites_may_read_banners_number_and_picture_but_no_page() -> None:
    for path in (BANNER, NUMBER, PICTURE):
        assert get(path).headers["Access-Control-Allow-Origin"] == "*"
        assert get(path).headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Access-Control-Allow-Origin" not in get(PAGE).headers


def test_the_page_has_the_headers_that_protect_all_pages(client: Client) -> None:
    ours = get(PAGE).headers
    other = client.get("/campaign/birthday/join/").headers
    for name in (
        *("Content-Security-Policy", "Permissions-Policy", "X-Frame-Options"),
        *("Referrer-Policy", "Cross-Origin-Opener-Policy", "X-Content-Type-Options"),
    ):
        assert ours[name] == other[name], name


def test_any_site_may_frame_the_pages_for_frames_and_no_other(client: Client) -> None:
    for headers in (get(FRAME).headers, client.get(FRAME).headers):
        assert headers["Content-Security-Policy"] == "base-uri 'none'"
        assert "X-Frame-Options" not in headers
    assert b"default-src 'none'; style-src 'sha256-" in get(FRAME).body
    for headers in (get(PAGE).headers, client.get(PAGE).headers):
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("address", ["other/en/inline", "birthday/en/middle", "birthday/xx/top"])
def test_a_frame_of_an_unknown_banner_is_empty_and_says_why_in_its_console(
    client: Client, address: str
) -> None:
    path = f"/campaign/{address}-frame.html"
    with capture_logs() as logs:
        response = client.get(path)
    assert response.status_code == 404
    assert "X-Frame-Options" not in response.headers
    assert (
        response.headers["Content-Security-Policy"] == get(FRAME).headers["Content-Security-Policy"]
    )
    page = response.content.decode()
    assert f"<title>There is no campaign banner at {path}</title>" in page
    assert "console.warn(document.title)" in page
    assert "<campaign-banner" not in page
    [slug, language, placement] = address.split("/")
    [logged] = [each for each in logs if each["event"] == "banner_missing"]
    assert (logged["campaign"], logged["language"]) == (slug, language)
    assert logged["placement"] == placement


def test_the_web_component_has_one_address_and_is_kept_for_an_hour(client: Client) -> None:
    response = get(COMPONENT, ACCEPT_ENCODING="br")
    assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert response.headers["Content-Encoding"] == "br"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "max-age=3600, stale-while-revalidate=" in response.headers["Cache-Control"]
    assert client.get(COMPONENT).content == brotli.decompress(response.body)
    assert get(COMPONENT + "/").headers == {"X-From": "Django"}


@pytest.mark.parametrize(
    ("headers", "language"),
    [
        ({}, "en"),
        ({"ACCEPT_LANGUAGE": "uk-UA,uk;q=0.9,en;q=0.8"}, "uk"),
        ({"ACCEPT_LANGUAGE": "de, *;q=0.1"}, "en"),
        ({"ACCEPT_LANGUAGE": "uk", "COOKIE": "a=b; django_language=en"}, "en"),
        ({"COOKIE": "django_language=uk"}, "uk"),
        ({"COOKIE": "django_language=../../uk"}, "en"),
        ({"ACCEPT_LANGUAGE": "x" * 9000}, "en"),
    ],
)
def test_the_address_without_language_shows_the_readers_language(
    headers: dict[str, str], language: str
) -> None:
    response = get("/campaign/birthday/", **headers)
    assert f'<html lang="{language}">'.encode() in response.body
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert {"Accept-Language", "Cookie"} <= set(response.headers["Vary"].split(", "))


@pytest.mark.thorough
@pytest.mark.parametrize(
    "path",
    [
        *(
            "/",
            "/campaign/",
            "/campaign/birthday",
            "/campaign/unknown/",
            "/campaign/birthday/join/",
        ),
        *("/campaign/birthday/en/../../x", "/campaign/../published/birthday/en/top.html"),
        *("/campaign/birthday/en/top.html.br", "/campaign/birthday/xx/", "/campaign//en/"),
        *(
            "/campaign/birthday/.lock",
            "/campaign/a\0b/",
            "/campaign/birthday\n/",
            "/campaign/день/",
        ),
    ],
)
def test_every_other_address_is_left_to_django(path: str) -> None:
    assert get(path).headers == {"X-From": "Django"}


def test_every_other_method_is_left_to_django() -> None:
    for method in ("POST", "OPTIONS", "PUT", "DELETE"):
        assert get(PAGE, method=method).body == b"Django"


def test_django_redirects_to_https(settings: LazySettings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert get(PAGE).body == b"Django"
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert get(PAGE).body == b"Django"
    assert get(PAGE, X_FORWARDED_PROTO="http").body == b"Django"
    assert get(PAGE, X_FORWARDED_PROTO="https").status == "200 OK"


def test_hidden_banners_are_empty_answers(settings: LazySettings) -> None:
    (settings.PUBLISH_DIR / "birthday" / "en" / "inline.html").write_bytes(b"")
    response = get(BANNER)
    assert (response.status, response.body) == ("200 OK", b"")


def test_a_server_without_the_wrapper_answers_with_the_same_files(client: Client) -> None:
    for path in (BANNER, NUMBER, PICTURE, PAGE):
        ours, theirs = get(path), client.get(path)
        assert theirs.content == ours.body
        assert theirs.headers["Cache-Control"] == ours.headers["Cache-Control"]
        again = client.get(path, headers={"If-None-Match": ours.headers["ETag"]})
        assert again.status_code == 304
