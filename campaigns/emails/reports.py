"""Reports of campaigns to staff: their content was written before, and names no person."""

from base64 import b64decode
from email.mime.image import MIMEImage
from typing import Any

from campaigns.emails import links
from campaigns.emails.delivery import NotNeeded, send_message
from campaigns.models import OutgoingMail


def send_report(mail: OutgoingMail) -> str:
    """Send a report, unless its receiver may no longer see reports, or stopped them."""
    receiver, message = mail.report_mail, mail.report_message
    if receiver is None or message is None or not message.content:
        raise NotNeeded
    user = receiver.user
    if not getattr(receiver, _CHOICES[message.kind]) or not user.email:
        raise NotNeeded
    if not user.is_active or not user.has_perm("campaigns.view_campaign"):
        raise NotNeeded
    pictures: list[MIMEImage] = []
    campaigns: list[dict[str, Any]] = []
    for campaign in message.content["campaigns"]:
        name = f"curve-{len(campaigns) + 1}"
        if campaign["curve"]:
            picture = MIMEImage(b64decode(campaign["curve"]), "png")
            picture.add_header("Content-ID", f"<{name}>")
            picture.add_header("Content-Disposition", "inline", filename=f"{name}.png")
            pictures.append(picture)
        campaigns.append(campaign | {"picture": name if campaign["curve"] else ""})
    unsubscribe_url = links.build_url("stop_reports", token=links.make_reports_token(receiver.pk))
    context = {
        "content": message.content,
        "campaigns": campaigns,
        "is_milestone": message.kind == "milestone",
    }
    return send_message(
        "staff/report",
        mail,
        to=user.email,
        context=context,
        unsubscribe_url=unsubscribe_url,
        pictures=pictures,
    )


# The choice of the receiver that each kind of report needs.
_CHOICES = {"daily": "daily", "weekly": "weekly", "milestone": "milestones"}
