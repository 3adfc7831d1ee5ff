"""Rendering a message from its templates and handing it to the mail provider."""

import re
from email.utils import formataddr
from typing import Any

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from campaigns.emails import links
from campaigns.models import OptOut, OutgoingMail
from campaigns.models.erasure import is_of_erased

_inliner = css_inline.CSSInliner(
    keep_style_tags=True, keep_at_rules=True, load_remote_stylesheets=False
)


class NotNeeded(Exception):
    """The message is no longer needed, for example because its gift was revoked."""


def send_message(
    template: str,
    mail: OutgoingMail,
    *,
    to: str,
    context: dict[str, Any],
    sender: str = "",
    may_opt_out: bool = False,
) -> str:
    """Send a message and return the provider's id for it, or "" if the provider has none.

    `template` is a path below templates/emails/ without its ending. `sender` is a display name;
    the address is always the newsroom's. Raises NotNeeded if the recipient was erased, or opted
    out of a message that allows it.
    """
    if is_of_erased(to):
        raise NotNeeded
    opt_out_url = ""
    if may_opt_out:
        if OptOut.objects.holds(to):
            raise NotNeeded
        opt_out_url = links.build_url("opt_out", token=links.make_opt_out_token(to))
    subject, text, html = render_mail(template, context | {"opt_out_url": opt_out_url})
    message = EmailMultiAlternatives(
        subject,
        text,
        formataddr((_join_lines(sender or settings.NEWSROOM_NAME), settings.DEFAULT_FROM_EMAIL)),
        [to],
    )
    if opt_out_url:
        # https://www.rfc-editor.org/rfc/rfc8058: the mail program's own unsubscribe button.
        message.extra_headers = {
            "List-Unsubscribe": f"<{opt_out_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    # Providers supported by anymail return this with a bounce; other backends ignore it.
    message.metadata = {"mail": str(mail.pk)}  # type: ignore[attr-defined]
    message.attach_alternative(html, "text/html")
    message.send()
    status = getattr(message, "anymail_status", None)
    return str(getattr(status, "message_id", "") or "")


def render_mail(template: str, context: dict[str, Any]) -> tuple[str, str, str]:
    """Return the subject, text and HTML of a message."""
    context = {
        "newsroom_name": settings.NEWSROOM_NAME,
        "reply_address": settings.DEFAULT_FROM_EMAIL,
        "newspaper_url": links.find_newspaper_url(),
        "opt_out_url": "",
    } | context
    context["subject"] = _join_lines(render_to_string(f"emails/{template}_subject.txt", context))
    return (
        context["subject"],
        _tidy_text(render_to_string(f"emails/{template}.txt", context)),
        _inliner.inline(render_to_string(f"emails/{template}.html", context)),
    )


def _join_lines(text: str) -> str:
    """Join the lines of a header value: a line break in a name would start another header."""
    return " ".join(text.split())


def _tidy_text(text: str) -> str:
    """Remove the indents and surplus empty lines that template tags leave in a text."""
    lines = "\n".join(line.strip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"
