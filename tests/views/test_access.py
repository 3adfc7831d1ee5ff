"""The access question of other systems, and signed tokens that a site checks by itself."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import LazySettings
from django.conf import settings as site
from django.test import Client
from django.utils import timezone

from campaigns import members, memberships
from campaigns.models import ApiClient, Member, Membership
from tests.support.factories import at, make_member, make_plan
from tests.support.openapi import list_faults, read_description
from tests.support.sales import make_subscription
from tests.support.sign_in import open_account_page, request_link_path, sign_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

NEWSPAPER = "https://www.example.org"
RETURN = f"{NEWSPAPER}/members/in"
ADA, UNKNOWN = "ada@example.org", "nobody@example.org"


@pytest.fixture(autouse=True)
def returns(settings: LazySettings) -> None:
    settings.ACCESS_RETURN_URLS = [f"{NEWSPAPER}/members"]


@pytest.fixture
def token() -> str:
    """The token of a client."""
    client = ApiClient(name="Paywall")
    token = members.make_token(client)
    client.save()
    return token


@pytest.fixture
def ada() -> Member:
    member = make_member(ADA)
    make_subscription(member=member)
    return member


def ask(client: Client, token: str, email: str = ADA) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    return client.get("/api/access", {"email": email}, headers=headers)


def test_a_member_is_one_until_no_known_end(client: Client, token: str, ada: Member) -> None:
    response = ask(client, token, " ADA@Example.org ")
    assert response.json() == {
        "member": True,
        "until": None,
        "plan": "member",
        "source": "subscription",
        "cancelled": False,
    }
    assert list_faults(response.json(), path="/api/access") == []
    assert "no-store" in response["Cache-Control"]


def test_an_unknown_address_is_nobodys(client: Client, token: str, ada: Member) -> None:
    answer = ask(client, token, UNKNOWN).json()
    assert (answer["member"], answer["until"], answer["plan"]) == (False, None, None)
    assert list_faults(answer, path="/api/access") == []


def test_the_answer_is_that_of_the_one_definition(client: Client, token: str) -> None:
    now = timezone.now()
    rows: list[dict[str, Any]] = [
        {"status": "past_due", "access_until": now + timedelta(days=1)},
        {"status": "past_due", "access_until": now - timedelta(days=1)},
        {"status": "pending"},
        {"status": "ended", "ended_at": now},
        {"is_cancelling": True, "ends_at": now + timedelta(days=3)},
        {"is_cancelling": True, "ends_at": now - timedelta(days=3)},
        {"started_at": now + timedelta(days=1)},
        {"status": "paused", "access_until": now + timedelta(hours=1)},
    ]
    for number, row in enumerate(rows):
        member = make_member(f"reader-{number}@example.org")
        make_subscription(member=member, **row)
        answer = ask(client, token, member.email).json()
        assert answer["member"] == memberships.has_access(member, now), row
        until = memberships.access_until(member, now)
        assert answer["until"] == (until.isoformat() if until and answer["member"] else None), row


def test_gifts_that_follow_count_as_one_time(client: Client, token: str) -> None:
    member = make_member(ADA)
    for start, end in (("2026-11-01", "2026-12-01"), ("2026-12-01", "2027-03-01")):
        Membership.objects.create(
            member=member,
            plan=make_plan(),
            source="gift",
            started_at=at(f"{start} 00:00"),
            ends_at=at(f"{end} 00:00"),
        )
    answer = ask(client, token).json()
    assert (answer["until"], answer["source"]) == ("2027-03-01T00:00:00+00:00", "gift")


def test_a_former_address_is_still_theirs(client: Client, token: str, ada: Member) -> None:
    members.set_address(ada, "ada@new.example", at=timezone.now())
    assert ask(client, token, ADA).json()["member"]
    assert ask(client, token, "ada@new.example").json()["member"]


def test_a_post_keeps_the_address_out_of_the_url(client: Client, token: str, ada: Member) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    browser = Client(enforce_csrf_checks=True)
    assert browser.post("/api/access", {"email": ADA}, headers=headers).json()["member"]


@pytest.mark.parametrize("email", ["", "no address", "ada@example.org,ben@example.org", "*"])
def test_text_that_is_no_address_is_refused_in_words(
    client: Client, token: str, email: str
) -> None:
    response = ask(client, token, email)
    assert response.status_code == 400
    assert "one e-mail address" in response.json()["error"]


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", "Basic YTpi", "Bearer \x00"])
def test_without_a_token_nothing_is_said(client: Client, ada: Member, given: str) -> None:
    response = client.get("/api/access", {"email": ADA}, headers={"Authorization": given})
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"


def test_revoking_a_token_leaves_that_of_another_client(
    client: Client, token: str, ada: Member
) -> None:
    other = ApiClient(name="CRM")
    others_token = members.make_token(other)
    other.save()
    assert members.revoke_client(ApiClient.objects.get(name="Paywall"))
    assert ask(client, token).status_code == 401
    assert ask(client, others_token).status_code == 200


def test_a_token_is_stored_as_a_hash(token: str) -> None:
    [stored] = ApiClient.objects.values()
    assert token not in str(stored)
    assert token.startswith(stored["token_hint"])


# Signed tokens


def go_on(client: Client, to: str = RETURN) -> Any:
    return client.get("/membership/account/continue/", {"to": to})


def read_claims(response: Any) -> dict[str, Any]:
    """Check the token in a redirect as a site does, with nothing but the published key."""
    assert response.status_code == 303, response.content
    [token] = parse_qs(urlsplit(response["Location"]).query)["membership_token"]
    return check(token)


def check(token: str) -> dict[str, Any]:
    keys = Client().get("/.well-known/jwks.json").json()
    assert list_faults(keys, path="/.well-known/jwks.json") == []
    signed, _, signature = token.rpartition(".")
    header, claims = (json.loads(decode(part)) for part in signed.split("."))
    [key] = [each for each in keys["keys"] if each["kid"] == header["kid"]]
    public = Ed25519PublicKey.from_public_bytes(decode(key["x"]))
    public.verify(decode(signature), signed.encode())
    found: dict[str, Any] = claims
    return found


def decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_a_signed_in_member_returns_with_a_token(client: Client, ada: Member) -> None:
    sign_in(client)
    response = go_on(client, f"{RETURN}?next=/story&x=%26")
    assert response["Location"].startswith(f"{RETURN}?next=%2Fstory&x=%26&membership_token=")
    claims = read_claims(response)
    expected = {"iss": site.SITE_URL, "aud": NEWSPAPER, "sub": str(ada.pk), "member": True}
    assert expected.items() <= claims.items()
    assert claims["exp"] - claims["iat"] == 7 * 86400
    assert ADA not in json.dumps(claims)
    described = read_description()["components"]["schemas"]["Claims"]
    assert set(described["required"]) == set(claims)


def test_a_page_in_other_letters_is_returned_to(client: Client, ada: Member) -> None:
    sign_in(client)
    response = go_on(client, f"{RETURN}/війна")
    path = "/%D0%B2%D1%96%D0%B9%D0%BD%D0%B0?membership_token="
    assert response["Location"].startswith(RETURN + path)
    assert go_on(client, f"{RETURN}/війна\r\nX: y")["Location"].count("\n") == 0
    assert go_on(client, "https://www.exämple.org/members/in").status_code == 400


def test_a_reader_who_signs_in_first_returns_after_it(client: Client, ada: Member) -> None:
    response = go_on(client)
    assert response["Location"] == "/membership/account/"
    page = client.get("/membership/account/").content.decode()
    assert "continue to www.example.org" in page
    assert "Not a member yet?" in page
    response = client.post(request_link_path(client))
    assert response.status_code == 303
    assert response["Location"] == "/membership/account/continue/"
    assert read_claims(client.get(response["Location"]))["member"]
    assert go_on(client, "").status_code == 400, "the cookie is used once"


def test_the_account_page_leads_to_the_site(client: Client, ada: Member) -> None:
    sign_in(client)
    page = open_account_page(client)
    assert "Continue to www.example.org" in page
    assert "/membership/account/continue/?to=https%3A%2F%2Fwww.example.org%2Fmembers" in page


def test_a_token_ends_with_the_access(client: Client) -> None:
    member = make_member(ADA)
    soon = timezone.now().replace(microsecond=0) + timedelta(days=2)
    make_subscription(member=member, is_cancelling=True, ends_at=soon)
    sign_in(client)
    claims = read_claims(go_on(client))
    assert claims["exp"] == int(soon.timestamp())
    assert claims["cancelled"]


def test_a_person_without_access_gets_a_token_that_says_so(client: Client) -> None:
    make_member(ADA)
    sign_in(client)
    claims = read_claims(go_on(client))
    assert not claims["member"]
    assert claims["exp"] - claims["iat"] == 3600


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/members/in",
        "https://www.example.org.evil.example/members",
        "https://www.example.org@evil.example/members",
        "https://user@www.example.org/members",
        "http://www.example.org/members/in",
        "https://www.example.org:444/members/in",
        "https://www.example.org/membersonly",
        "https://www.example.org/members/../admin",
        "https://www.example.org/members/%2e%2e/admin",
        "https://www.example.org/members\\@evil.example",
        "//www.example.org/members/in",
        "javascript:alert(1)//www.example.org/members/",
        "https://www.example.org/members/in\r\nX: y",
        "https://[",
        "",
    ],
)
def test_no_token_goes_to_another_address(client: Client, ada: Member, to: str) -> None:
    sign_in(client)
    response = go_on(client, to)
    assert response.status_code == 400
    assert "Location" not in response


def check_at(client: Client, token: str, **query: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return int(client.get("/api/access/check", query, headers=headers).status_code)


def take_token(client: Client) -> str:
    location: str = go_on(client)["Location"]
    return parse_qs(urlsplit(location).query)["membership_token"][0]


def test_a_proxy_can_ask_us_about_a_token(client: Client, ada: Member) -> None:
    sign_in(client)
    token = take_token(client)
    assert check_at(Client(), token) == 204
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        assert check_at(Client(), token) == 401
    with time_machine.travel(timezone.now() - timedelta(minutes=3)):
        assert check_at(Client(), token) == 204, "clocks differ by minutes"
    ada.memberships.update(status="ended", ended_at=timezone.now())
    assert check_at(Client(), take_token(client)) == 403


def test_a_proxy_takes_no_token_of_another_site(client: Client, ada: Member) -> None:
    sign_in(client)
    token = take_token(client)
    assert check_at(Client(), token, audience=NEWSPAPER) == 204
    for other in ("https://shop.example.org", "https://www.example.org.evil.example", ""):
        assert check_at(Client(), token, audience=other) == 401


def forge(token: str, **changes: Any) -> str:
    header, claims, signature = token.split(".")
    changed = json.loads(decode(claims)) | changes
    return f"{header}.{urlsafe_b64encode(json.dumps(changed).encode()).decode()}.{signature}"


def test_a_forged_token_is_refused(client: Client, ada: Member, settings: LazySettings) -> None:
    sign_in(client)
    token = take_token(client)
    unsigned = urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    nested = urlsafe_b64encode(b"[" * 1200).decode().rstrip("=")
    for forged in (
        forge(token, exp=4_000_000_000),
        f"{unsigned}.{token.split('.')[1]}.",
        token[:-2],
        "a.b.c",
        "..",
        "x",
        "é.é.é",
        f"{nested}.e30.{'A' * 86}",
    ):
        assert check_at(Client(), forged) == 401
    with pytest.raises(InvalidSignature):
        check(forge(token, sub="2"))
    with pytest.raises(members.BadToken):
        members.read_token(token, at=timezone.now(), audience="https://other.example")
    settings.SECRET_KEY = "another-key"
    assert check_at(Client(), token) == 401
