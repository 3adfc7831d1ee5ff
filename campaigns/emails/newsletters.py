"""The message that confirms newsletters. The newsletters themselves are sent by another tool."""

from datetime import timedelta

from campaigns.emails import links
from campaigns.emails.delivery import NotNeeded, send_message
from campaigns.models import OutgoingMail, Subscription


def send_newsletter(mail: OutgoingMail) -> str:
    """Ask to confirm what the address asked for, or say that it gets the newsletters already."""
    asked = mail.subscription
    if asked is None:
        raise NotNeeded
    own = Subscription.objects.of(asked.email)
    pending, confirmed = list(own.pending()), list(own.confirmed())
    if not pending and not confirmed:
        raise NotNeeded
    token = links.make_newsletter_token(pending[0] if pending else confirmed[0])
    unsubscribe_url = links.build_url("newsletters_unsubscribe", token=token)
    context = {
        "pending": [each.newsletter for each in pending],
        "confirmed": [each.newsletter for each in confirmed],
        "confirm_url": links.build_url("newsletters_confirm", token=token),
        "preferences_url": links.build_url("newsletters_preferences", token=token),
        "days": links.NEWSLETTER_LASTS // timedelta(days=1),
    }
    return send_message(
        "newsletters/confirm",
        mail,
        to=asked.email,
        context=context,
        # Only to drop a request: this button must not end what a reader gets already.
        unsubscribe_url=unsubscribe_url if pending else "",
    )
