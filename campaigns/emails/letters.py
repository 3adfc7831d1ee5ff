"""How a message looks and travels: templates in, one mail out."""

import re
from email.utils import formataddr
from typing import Any

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

_inliner = css_inline.CSSInliner(
    keep_style_tags=True, keep_at_rules=True, load_remote_stylesheets=False
)


def render_mail(name: str, context: dict[str, Any]) -> tuple[str, str, str]:
    """Subject, text and HTML of a message, from the three templates of that name."""
    context = {
        "newsroom_name": settings.NEWSROOM_NAME,
        "reply_address": settings.DEFAULT_FROM_EMAIL,
        "site_url": settings.SITE_URL,
        "opt_out_url": "",
    } | context
    context["subject"] = _one_line(render_to_string(f"emails/{name}_subject.txt", context))
    return (
        context["subject"],
        _tidy(render_to_string(f"emails/{name}.txt", context)),
        _inliner.inline(render_to_string(f"emails/{name}.html", context)),
    )


def send_rendered_mail(
    name: str,
    *,
    to: str,
    context: dict[str, Any],
    mail_id: int,
    sender: str = "",
    opt_out_url: str = "",
) -> str:
    """Hand a message to the mail provider; the provider's own id of it, if it tells one.

    `sender` is a display name; the address is always the newsroom's.
    """
    subject, text, html = render_mail(name, context | {"opt_out_url": opt_out_url})
    letter = EmailMultiAlternatives(
        subject,
        text,
        formataddr((_one_line(sender or settings.NEWSROOM_NAME), settings.DEFAULT_FROM_EMAIL)),
        [to],
    )
    if opt_out_url:
        # https://www.rfc-editor.org/rfc/rfc8058: a mail program's own button, by POST.
        letter.extra_headers = {
            "List-Unsubscribe": f"<{opt_out_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    # What the providers behind anymail give back with a bounce; others ignore it.
    letter.metadata = {"mail": str(mail_id)}  # type: ignore[attr-defined]
    letter.attach_alternative(html, "text/html")
    letter.send()
    status = getattr(letter, "anymail_status", None)
    return str(getattr(status, "message_id", "") or "")


def _one_line(text: str) -> str:
    """Fit for a header: a line break in a name would begin a header of its own."""
    return " ".join(text.split())


def _tidy(text: str) -> str:
    """What a reader sees of a text template: its tags leave indents and empty lines behind."""
    lines = "\n".join(line.strip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"
