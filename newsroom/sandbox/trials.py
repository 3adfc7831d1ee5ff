"""Free time within a subscription: how far it may reach, and the word before it ends."""

from newsroom.sandbox import clock, events
from newsroom.sandbox.errors import ApiError
from newsroom.sandbox.models import StripeObject

DAY = 86400
LONGEST_DAYS = 730
REMINDER_DAYS = 3


def check_trial_end(trial_end: int, *, param: str = "trial_end") -> None:
    """After now, and no more than two years away: counted from now, whatever the anchor."""
    now = clock.now()
    if trial_end <= now:
        raise ApiError(
            "Invalid timestamp: must be an integer Unix timestamp in the future.", param=param
        )
    if trial_end > now + LONGEST_DAYS * DAY:
        raise ApiError(
            f"The maximum number of trial period days is {LONGEST_DAYS} (2 years).", param=param
        )


def find_reminder_time(row: StripeObject) -> int | None:
    """When trial_will_end is due, unless it was sent: at the latest when the trial begins."""
    if row.body["status"] != "trialing" or row.notes.get("reminded"):
        return None
    moment: int = max(row.body["trial_end"] - REMINDER_DAYS * DAY, row.body["trial_start"])
    return moment


def send_reminder_if_due(row: StripeObject) -> bool:
    """The caller saves the row."""
    moment = find_reminder_time(row)
    if moment is None or moment > clock.now():
        return False
    send_reminder(row)
    return True


def send_reminder(row: StripeObject) -> None:
    row.notes["reminded"] = True
    events.emit("customer.subscription.trial_will_end", row)
