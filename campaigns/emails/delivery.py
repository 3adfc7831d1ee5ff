"""Rendering a message from its templates and handing it to the mail provider."""

import re
from collections.abc import Sequence
from email.mime.image import MIMEImage
from email.utils import formataddr
from typing import Any

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from campaigns.emails import links
from campaigns.emails.logos import draw_logo
from campaigns.models import OptOut, OutgoingMail, read_look, read_newsroom_name
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
    unsubscribe_url: str = "",
    pictures: Sequence[MIMEImage] = (),
) -> str:
    """Send a message and return the provider's id for it, or "" if the provider has none.

    `template` is a path below templates/emails/ without its ending. `sender` is a display name;
    the address is always the newsroom's. `unsubscribe_url` is for the mail program's button, where
    it isn't that of reminders; `pictures` are shown in the HTML by their Content-ID. Raises
    NotNeeded if the recipient was erased, or opted out of a message that allows it.
    """
    if is_of_erased(to):
        raise NotNeeded
    opt_out_url = ""
    if may_opt_out:
        if OptOut.objects.holds(to):
            raise NotNeeded
        opt_out_url = links.build_url("opt_out", token=links.make_opt_out_token(to))
    logo = draw_logo(read_look())
    if logo is not None:
        pictures = [logo.picture, *pictures]
    links_out = {"logo": logo, "opt_out_url": opt_out_url, "unsubscribe_url": unsubscribe_url}
    subject, text, html = render_mail(template, context | links_out)
    message = EmailMultiAlternatives(
        subject,
        text,
        formataddr((_join_lines(sender or read_newsroom_name()), settings.DEFAULT_FROM_EMAIL)),
        [to],
    )
    if unsubscribe_url or opt_out_url:
        # https://www.rfc-editor.org/rfc/rfc8058: the mail program's own unsubscribe button.
        message.extra_headers = {
            "List-Unsubscribe": f"<{unsubscribe_url or opt_out_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    # Providers supported by anymail return this with a bounce; other backends ignore it.
    message.metadata = {"mail": str(mail.pk)}  # type: ignore[attr-defined]
    message.attach_alternative(html, "text/html")
    if pictures:
        message.mixed_subtype = "related"  # type: ignore[attr-defined] # Django's class has it
        for picture in pictures:
            message.attach(picture)
    message.send()
    status = getattr(message, "anymail_status", None)
    return str(getattr(status, "message_id", "") or "")


def render_mail(template: str, context: dict[str, Any]) -> tuple[str, str, str]:
    """Return the subject, text and HTML of a message."""
    look = read_look()
    context = {
        "look": look,
        "logo": None,
        "newsroom_name": look.name or settings.NEWSROOM_NAME,
        "reply_address": settings.DEFAULT_FROM_EMAIL,
        "newspaper_url": links.find_newspaper_url(),
        "opt_out_url": "",
        "unsubscribe_url": "",
    } | context
    subject = _join_lines(render_to_string(f"emails/{template}_subject.txt", context))
    context["subject"] = subject
    return (
        subject,
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
