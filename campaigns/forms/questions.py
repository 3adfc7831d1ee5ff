"""Questions about probable typing errors, asked once beside a field. They never block an order."""

import hashlib
from collections.abc import Iterable
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


def check_address(address: str) -> list[Question]:
    """Return the questions about an address that is probably misspelt or a temporary one."""
    name, _at, domain = address.rpartition("@")
    if not name or domain in COMMON_DOMAINS:
        return []
    questions = []
    close = get_close_matches(domain, sorted(COMMON_DOMAINS), n=1, cutoff=_SIMILARITY)
    if close:
        text = format_lazy(
            _("Did you mean {meant}? If the address is correct, send the form again."),
            meant=f"{name}@{close[0]}",
        )
        questions.append(Question("misspelt", address, text))
    elif _is_disposable(domain):  # misspelt names of common services are on its list, too
        text = format_lazy(
            _(
                "{domain} is a temporary e-mail service, so our e-mails may get lost. Enter "
                "another address, or send the form again to use this one."
            ),
            domain=domain,
        )
        questions.append(Question("disposable", address, text))
    return questions


def check_shared_mailbox(address: str) -> list[Question]:
    """Return a question if the address is probably read by several people."""
    if address.partition("@")[0] not in _SHARED_MAILBOXES:
        return []
    text = _(
        "Several people may read this address, and each of them can unsubscribe it. Enter your own "
        "address, or send the form again to use this one."
    )
    return [Question("shared", address, text)]


def check_recipient(address: str, *, buyer: str) -> list[Question]:
    """Return the questions about a recipient's address, also if it is the buyer's own."""
    questions = check_address(address)
    if not address or address != buyer:
        return questions
    text = _(
        "This is your own address. If you want to hand the gift over, tick “I’ll hand it over "
        "myself”. If the address is correct, send the form again."
    )
    return [Question("own", address, text), *questions]


def _is_disposable(domain: str) -> bool:
    """Return whether the domain or a parent of it is a temporary e-mail service."""
    labels = domain.split(".")
    return any(".".join(labels[at:]) in blocklist for at in range(len(labels) - 1))


class AskingForm(forms.Form):
    """A form that shows each question as an error once.

    The form remembers them in `asked`, so the same value passes when it is sent again.
    """

    asked = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, asks_questions: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asks_questions = asks_questions
        source = self.data if self.is_bound else self.initial
        self._asked = str(source.get("asked") or "")[:_MAX_ASKED].split()
        self._asked_before = frozenset(self._asked)

    def ask_once(
        self, field: str, questions: Iterable[Question], *, row: forms.Form | None = None
    ) -> None:
        """Show the questions beside a field of this form, or of `row`, that weren't asked yet.

        All of them are asked at once, so that a reader never gets one after the other. The same
        value in two fields is asked about beside both.
        """
        if not self.asks_questions:
            return
        new = [question for question in questions if question.mark not in self._asked_before]
        for question in new:
            error = forms.ValidationError(str(question.text), code="question")
            (row or self).add_error(field, error)
        if new:
            marks = (question.mark for question in new)
            self._asked = list(dict.fromkeys([*marks, *self._asked]))
            self._change_data("asked", " ".join(self._asked)[:_MAX_ASKED])

    def ask_about_email(self) -> None:
        """Ask whether the address in the field `email` is misspelt or a temporary one."""
        self.ask_once("email", check_address(self.cleaned_data.get("email", "")))

    def _change_data(self, field: str, value: str) -> None:
        if self.is_bound:
            self.data = self.data.copy()  # type: ignore[attr-defined]  # a dict or a QueryDict
            self.data[field] = value  # type: ignore[index]
        else:
            self.initial[field] = value
