"""Questions about probable typing errors, asked once beside a field. They never block an order."""

import hashlib
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from disposable_email_domains import blocklist
from django import forms
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

# Common e-mail domains of readers. A domain that is similar to one of them is probably misspelt.
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
# Names of mailboxes that belong to a role: https://www.rfc-editor.org/rfc/rfc2142
_SHARED_MAILBOXES = frozenset(
    {
        *("abuse", "admin", "billing", "contact", "help", "hostmaster", "hr", "info", "jobs"),
        *("legal", "mail", "marketing", "news", "noc", "no-reply", "noreply", "office", "orders"),
        *("postmaster", "press", "root", "sales", "security", "service", "support", "webmaster"),
    }
)
_SIMILARITY = 0.85
_MAX_ASKED = 4000  # characters


@dataclass(frozen=True)
class Question:
    """A question about one value; another value gets its own question."""

    kind: str
    about: str
    text: "str | Promise"

    @property
    def mark(self) -> str:
        """Return a short hash that identifies the question without revealing the address."""
        return hashlib.sha256(f"{self.kind}\n{self.about}".encode()).hexdigest()[:8]


def check_address(address: str) -> Question | None:
    """Return a question if the address is probably misspelt or a temporary one."""
    name, _at, domain = address.rpartition("@")
    if not name or domain in COMMON_DOMAINS:
        return None
    close = get_close_matches(domain, sorted(COMMON_DOMAINS), n=1, cutoff=_SIMILARITY)
    if close:
        text = format_lazy(
            _("Did you mean {meant}? If the address is correct, send the form again."),
            meant=f"{name}@{close[0]}",
        )
        return Question("misspelt", address, text)
    if _is_disposable(domain):
        text = format_lazy(
            _(
                "{domain} is a temporary e-mail service, so our e-mails may get lost. Enter "
                "another address, or send the form again to use this one."
            ),
            domain=domain,
        )
        return Question("disposable", address, text)
    return None


def check_shared_mailbox(address: str) -> Question | None:
    """Return a question if the address is probably read by several people."""
    if address.partition("@")[0] not in _SHARED_MAILBOXES:
        return None
    text = _(
        "Several people may read this address, and each of them can unsubscribe it. Enter your own "
        "address, or send the form again to use this one."
    )
    return Question("shared", address, text)


def check_recipient(address: str, *, buyer: str) -> Question | None:
    """Return a question if the recipient's address is the buyer's own."""
    if not address or address != buyer:
        return None
    text = _(
        "This is your own address. If you want to hand the gift over, tick “I’ll hand it over "
        "myself”. If the address is correct, send the form again."
    )
    return Question("own", address, text)


def _is_disposable(domain: str) -> bool:
    """Return whether the domain or a parent of it is a temporary e-mail service."""
    labels = domain.split(".")
    return any(".".join(labels[at:]) in blocklist for at in range(len(labels) - 1))


class AskingForm(forms.Form):
    """A form that shows each question as an error once.

    The form remembers it in `asked`, so the same value passes when it is sent again.
    """

    asked = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, asks_questions: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asks_questions = asks_questions

    def ask_once(
        self, field: str, question: Question | None, *, row: forms.Form | None = None
    ) -> None:
        """Show a question beside a field of this form, or of `row`, unless already asked."""
        if question is None or not self.asks_questions:
            return
        source = self.data if self.is_bound else self.initial
        asked = str(source.get("asked") or "")[:_MAX_ASKED].split()
        if question.mark in asked:
            return
        (row or self).add_error(field, forms.ValidationError(str(question.text), code="question"))
        self._change_data("asked", " ".join([question.mark, *asked])[:_MAX_ASKED])

    def _change_data(self, field: str, value: str) -> None:
        if self.is_bound:
            self.data = self.data.copy()  # type: ignore[attr-defined]  # a dict or a QueryDict
            self.data[field] = value  # type: ignore[index]
        else:
            self.initial[field] = value
