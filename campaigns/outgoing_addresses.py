"""Addresses that staff typed: webhooks of chats and of other systems.

Such an address must not lead into our own network, for example to a database or to the metadata of
a cloud machine. So a request goes through these steps, in this order:

1. `read_url` takes the URL apart and refuses what is no web address of another system.
2. `find_target` looks the host up, once, and refuses it if any of its addresses is private,
   loopback, link-local or otherwise not public. A name that has a public and a private address is
   refused, not narrowed.
3. `outgoing_requests` connects to the addresses that were checked, never to the name again, so
   that a name server can't give another answer in between. The certificate is still checked for the
   name. Redirects are not followed: they would lead around the check.

A newsroom whose chat runs in its own network lists that network in OUTGOING_NETWORKS. Only there
may an address be `http`. The address of a setting, such as GHOST_URL, is trusted: the people who
run the application may name any machine.
"""

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

import idna
from django.conf import settings
from django.utils.translation import gettext as _

LONGEST_URL = 2000
_END_OF_HOST = re.compile("[/:?#]")
_SCHEMES = {"http": 80, "https": 443}
# https://www.rfc-editor.org/rfc/rfc6052: IPv6 addresses that a gateway translates to IPv4.
_TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))

Address = IPv4Address | IPv6Address


class RefusedAddress(Exception):
    """The address must not be called. Its text says why, in words for staff."""


class Unreachable(Exception):
    """The server can't be found, doesn't answer in time, or has no valid certificate.

    Its text says which, in words for staff.
    """


@dataclass(frozen=True)
class Url:
    """A web address taken apart; `host` is in ASCII and lower case, `path` has the query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _SCHEMES[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True)
class Target:
    """A URL and the addresses of its host that were looked up and checked."""

    url: Url
    addresses: Sequence[Address]


def read_url(text: str) -> Url:
    """Take a web address apart, without looking it up. Raises RefusedAddress."""
    text = text.strip()
    if len(text) > LONGEST_URL or not text.isascii() or not text.isprintable() or " " in text:
        raise RefusedAddress(_("Enter a web address without spaces or special characters."))
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise RefusedAddress(_("Enter a web address that starts with https://.")) from None
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise RefusedAddress(_("Enter a web address that starts with https://."))
    if parts.username is not None or parts.password is not None:
        raise RefusedAddress(_("Enter the address without a user name or password."))
    if port == 0:
        raise RefusedAddress(_("Enter a web address that starts with https://."))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Url(parts.scheme, parts.hostname.rstrip("."), port or _SCHEMES[parts.scheme], path)


def write_url(text: str) -> str:
    """Return a typed address with its host in ASCII: https://chat.газета.example/ is allowed."""
    start, separator, rest = text.strip().partition("://")
    host = _END_OF_HOST.split(rest, maxsplit=1)[0]
    if not separator or host.isascii():
        return text.strip()
    try:
        return f"{start}://{idna.encode(host, uts46=True).decode()}{rest.removeprefix(host)}"
    except idna.IDNAError:
        raise RefusedAddress(_("Enter a web address that starts with https://.")) from None


def find_target(text: str, *, is_trusted: bool = False) -> Target:
    """Look an address up, once, and check it unless it is trusted.

    Raises RefusedAddress and Unreachable.
    """
    url = read_url(text)
    try:
        found = socket.getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreachable(
            _("No server was found at %(host)s. Check the spelling.") % {"host": url.host}
        ) from None
    # An address of a network card has its name after a "%".
    addresses = [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    addresses = list(dict.fromkeys(addresses))
    if is_trusted:
        return Target(url, addresses)
    ours = [_is_ours(address) for address in addresses]
    if not all(own or is_public(address) for own, address in zip(ours, addresses, strict=True)):
        raise RefusedAddress(
            _("%(host)s is in a private network. Enter the address of a public server.")
            % {"host": url.host}
        )
    if url.scheme == "http" and not all(ours):
        raise RefusedAddress(_("Enter a web address that starts with https://."))
    return Target(url, addresses)


def is_public(address: Address) -> bool:
    """Return whether everybody on the internet can reach the address, and it is one machine's.

    An IPv6 address that stands for an IPv4 address is as public as that one.
    """
    if isinstance(address, IPv6Address):
        inner = _find_inner(address)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local:
            return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified
    )


def _find_inner(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that a mapped, 6to4, Teredo or translated address leads to."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if any(address in network for network in _TRANSLATED):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _is_ours(address: Address) -> bool:
    networks = [ip_network(network) for network in settings.OUTGOING_NETWORKS]
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in networks)
