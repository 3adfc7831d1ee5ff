"""What looks like a mistake and may be none: asked once beside its field, and never refused."""

import hashlib
from dataclasses import dataclass
from difflib import get_close_matches

from disposable_email_domains import blocklist
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

# Where readers have their mail. What is close to one of these and none of them is asked about.
COMMON_DOMAINS = frozenset(
    {
        *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com"),
        *("icloud.com", "me.com", "mac.com", "yahoo.com", "ymail.com", "aol.com", "fastmail.com"),
        *("proton.me", "protonmail.com", "pm.me", "tutanota.com", "tuta.com", "zoho.com"),
        *("ukr.net", "i.ua", "meta.ua", "bigmir.net", "email.ua", "online.ua", "3g.ua"),
        *("mail.com", "email.com", "gmx.com", "gmx.net", "gmx.de", "gmx.at", "gmx.ch", "web.de"),
        *("t-online.de", "wp.pl", "o2.pl", "onet.pl", "interia.pl", "seznam.cz", "centrum.cz"),
        *("hotmail.co.uk", "yahoo.co.uk", "btinternet.com", "orange.fr", "free.fr", "libero.it"),
    }
)
_CLOSE = 0.85


@dataclass(frozen=True)
class Question:
    """`about` is the value that is asked about: another one is asked about anew."""

    kind: str
    about: str
    text: "str | Promise"

    @property
    def mark(self) -> str:
        """What a form remembers this question by, and what no address can be read from."""
        return hashlib.sha256(f"{self.kind}\n{self.about}".encode()).hexdigest()[:8]


def question_address(address: str) -> Question | None:
    """Whether a well-formed address is probably a slip, or one of those that are thrown away."""
    name, _at, domain = address.rpartition("@")
    if not name or domain in COMMON_DOMAINS:
        return None
    close = get_close_matches(domain, sorted(COMMON_DOMAINS), n=1, cutoff=_CLOSE)
    if close:
        text = format_lazy(
            _("Did you mean {meant}? If it is right as it is, send the form once more."),
            meant=f"{name}@{close[0]}",
        )
        return Question("misspelt", address, text)
    if _is_disposable(domain):
        text = format_lazy(
            _(
                "Mailboxes at {domain} are thrown away, and what we send is lost with them. Please "
                "give another address; or send the form once more, and we take this one."
            ),
            domain=domain,
        )
        return Question("disposable", address, text)
    return None


def question_recipient(address: str, *, buyer: str) -> Question | None:
    """Whether buyer and recipient are one: that is more often a slip than a wish."""
    if not address or address != buyer:
        return None
    text = _(
        "This is your own address. If you pass the gift on, tick that you hand it over yourself. "
        "If it is right as it is, send the form once more."
    )
    return Question("own", address, text)


def _is_disposable(domain: str) -> bool:
    """Also below one: such services hand out whole subdomains."""
    labels = domain.split(".")
    return any(".".join(labels[at:]) in blocklist for at in range(len(labels) - 1))
