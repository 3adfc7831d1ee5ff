"""Signed tokens about a member's access, which the newspaper's own site can check without asking.

They are JSON Web Tokens with EdDSA (RFC 7519, RFC 8037). The key is derived from SECRET_KEY; its
public half is published at /.well-known/jwks.json.
"""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from campaigns.members.access_answers import describe_member_access
from campaigns.models import Member

PARAMETER = "membership_token"
_LONGEST = 2000
_LASTS, _LASTS_WITHOUT_ACCESS = timedelta(days=7), timedelta(hours=1)
# Clocks of two machines differ by less.
_LEEWAY = timedelta(minutes=5)


class BadToken(Exception):
    """The token is not ours, was changed, is for another site, or has expired."""


def _make_token(member: Member, *, audience: str, at: datetime) -> str:
    """Return a token for a site: whether the member has access, and until when.

    It names nobody: `sub` is the member's number. It expires after a week, and not later than the
    access ends; after an hour if there is none.
    """
    facts = describe_member_access(member.pk, at=at)
    expires_at = at + (_LASTS if facts["member"] else _LASTS_WITHOUT_ACCESS)
    if facts["until"] is not None:
        expires_at = min(expires_at, datetime.fromisoformat(facts["until"]))
    claims = {
        "iss": settings.SITE_URL,
        "aud": audience,
        "sub": str(member.pk),
        "iat": int(at.timestamp()),
        "exp": int(expires_at.timestamp()),
        **facts,
    }
    header = {"alg": "EdDSA", "typ": "JWT", "kid": _find_key_id()}
    signed = f"{_encode_json(header)}.{_encode_json(claims)}"
    return f"{signed}.{_encode(_load_key(settings.SECRET_KEY).sign(signed.encode()))}"


def read_token(token: str, *, at: datetime, audience: str | None = None) -> dict[str, Any]:
    """Return the claims of a token of ours; `audience` None accepts any site's. Raises BadToken."""
    signed, _, signature = token.rpartition(".")
    header_text, _, claims_text = signed.partition(".")
    if len(token) > _LONGEST or not token.isascii():
        raise BadToken
    try:
        # Before anything is read: what is signed is ours.
        _load_key(settings.SECRET_KEY).public_key().verify(_decode(signature), signed.encode())
        header, claims = _decode_json(header_text), _decode_json(claims_text)
    except (ValueError, InvalidSignature) as error:
        raise BadToken from error
    is_ours = header.get("alg") == "EdDSA" and claims.get("iss") == settings.SITE_URL
    is_for_them = audience in {None, claims.get("aud")}
    now = at.timestamp()
    is_current = claims["iat"] - _LEEWAY.total_seconds() <= now < claims["exp"]
    if not (is_ours and is_for_them and is_current):
        raise BadToken
    return claims


def describe_keys() -> dict[str, Any]:
    """Return the public key as a JSON Web Key Set."""
    public = _load_key(settings.SECRET_KEY).public_key()
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    key = {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": _encode(raw),
        "kid": _find_key_id(),
        "use": "sig",
        "alg": "EdDSA",
    }
    return {"keys": [key]}


def is_allowed_return(url: str) -> bool:
    """Return whether ACCESS_RETURN_URLS allows an address, exactly or below it."""
    if not url.isascii() or not url.isprintable() or "\\" in url or len(url) > _LONGEST:
        return False
    try:
        asked = urlsplit(url)
    except ValueError:
        return False
    if "@" in asked.netloc or {".", ".."} & set(unquote(asked.path).split("/")):
        return False
    return any(_is_below(asked, urlsplit(each)) for each in settings.ACCESS_RETURN_URLS)


def _is_below(asked: Any, allowed: Any) -> bool:
    folder = allowed.path.rstrip("/") + "/"
    is_same_site = (asked.scheme, asked.netloc.lower()) == (allowed.scheme, allowed.netloc.lower())
    return is_same_site and (asked.path == allowed.path or asked.path.startswith(folder))


def add_token(url: str, member: Member, *, at: datetime) -> str:
    """Return an allowed address with a token for its site."""
    parts = urlsplit(url)
    token = _make_token(member, audience=f"{parts.scheme}://{parts.netloc}", at=at)
    query = [pair for pair in parse_qsl(parts.query, True) if pair[0] != PARAMETER]
    return urlunsplit(parts._replace(query=urlencode([*query, (PARAMETER, token)]), fragment=""))


@lru_cache(maxsize=4)
def _load_key(secret: str) -> Ed25519PrivateKey:
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"campaigns.access_tokens")
    return Ed25519PrivateKey.from_private_bytes(derive.derive(secret.encode()))


def _find_key_id() -> str:
    public = _load_key(settings.SECRET_KEY).public_key()
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:16]


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _encode_json(value: dict[str, Any]) -> str:
    return _encode(json.dumps(value, separators=(",", ":")).encode())


def _decode_json(text: str) -> dict[str, Any]:
    value = json.loads(_decode(text))
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value
