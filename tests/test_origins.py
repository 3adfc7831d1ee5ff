"""Origins: what is kept of an article's address, a link's parameters and a browser's headers."""

import pytest

from campaigns.origins import (
    LENGTHS,
    Origin,
    clean_country,
    clean_page,
    find_device,
    find_host,
    read_parameters,
    read_query,
)

pytestmark = pytest.mark.once

ARTICLE = "https://www.example.org/2026/11/bridges"


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        (ARTICLE, ARTICLE),
        (f"{ARTICLE}?utm_source=mail&token=s3cret#comments", ARTICLE),
        ("https://www.example.org/?p=123&preview=true", "https://www.example.org/?p=123"),
        ("https://www.example.org/a?id=ada@example.org", "https://www.example.org/a"),
        ("https://ada:password@www.example.org/a", "https://www.example.org/a"),
        ("HTTPS://WWW.EXAMPLE.ORG:8443/A", "https://www.example.org:8443/A"),
        ("https://example.org/міст", "https://example.org/%D0%BC%D1%96%D1%81%D1%82"),
        (
            "https://example.org/%d0%bc%d1%96%d1%81%d1%82",
            "https://example.org/%D0%BC%D1%96%D1%81%D1%82",
        ),
        ("https://газета.укр/a", "https://xn--80aahjj1e.xn--j1amh/a"),
        ("https://example.org/@author/story", "https://example.org/@author/story"),
        ("https://example.org/of/ada@example.org", "https://example.org/"),
        ("https://example.org/of/ada%40example.org", "https://example.org/"),
        (f"https://example.org/{'a' * 4000}", "https://example.org/"),
        (f"https://{'a' * 4000}.org/", ""),
        ("https://example.org/a b\n<script>", "https://example.org/a%20b%3Cscript%3E"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//example.org/a", ""),
        ("/a", ""),
        ("https://[::1", ""),
        ("https://example.org:port/", ""),
        ("https://", ""),
        ("https://exa mple.org/", ""),
        ("", ""),
    ],
)
def test_an_article_keeps_only_what_identifies_it(address: str, kept: str) -> None:
    assert clean_page(address) == kept
    assert clean_page(kept) == kept


def test_too_many_parameters_are_no_error() -> None:
    many = "&".join(f"p{number}=1" for number in range(1000))
    assert clean_page(f"{ARTICLE}?{many}") == ""
    assert read_query(many) == Origin()


def test_a_query_carries_an_origin_and_loses_nothing() -> None:
    origin = Origin(
        placement="end",
        page_url=ARTICLE,
        page_title="Bridges & tunnels: «100 %»",
        referrer="news.example.com",
        utm_source="facebook",
        utm_content="a=b&c",
    )
    assert read_query(origin.query) == origin
    assert read_query(read_query(origin.query).query) == origin


def test_hostile_parameters_become_harmless() -> None:
    origin = read_parameters(
        {
            "from": "<script>",
            "page": ARTICLE,
            "title": "Br\x00id\u202eges\n\ud800 " + "x" * 5000,
            "referrer": "www.Example.COM",
            "utm_source": "Face\tbook",
            "utm_medium": "for ada@example.org",
            "utm_campaign": "ada%40example.org",
            "utm_content": "x" * 5000,
        }
    )
    assert (origin.placement, origin.referrer) == ("", "example.com")
    assert origin.page_title.startswith("Br idges xxx")
    assert (origin.utm_source, origin.utm_medium, origin.utm_campaign) == ("face book", "", "")
    for name, length in LENGTHS.items():
        assert len(getattr(origin, name)) <= length


def test_a_title_without_an_article_is_dropped() -> None:
    assert read_parameters({"title": "Ada"}) == Origin()
    assert read_parameters({"from": "x" * 33}) == Origin()


def test_of_a_browser_only_the_kind_of_device_is_kept() -> None:
    phone = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/142.0 Mobile Safari/537.36"
    assert [find_device(agent) for agent in (phone, "Mozilla/5.0 (X11)", "")] == [
        "phone",
        "desk",
        "",
    ]


def test_only_known_countries_are_kept() -> None:
    codes = ("de", " UA ", "XX", "T1", "", "Ukraine", "ДЕ")
    assert [clean_country(code) for code in codes] == ["DE", "UA", "", "", "", "", ""]


def test_a_referring_site_is_one_host() -> None:
    assert find_host("https://www.google.com/search?q=secret") == "google.com"
    assert find_host("android-app://com.google.android.gm/") == ""
    assert find_host("https://[::1") == ""
