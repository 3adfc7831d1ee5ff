"""Trials of subscriptions: their maximum length, and the reminder before they end."""

from newsroom.sandbox import clock, events
from newsroom.sandbox.errors import ApiError
from newsroom.sandbox.models import StripeObject

DAY = 86400
LONGEST_DAYS = 730
REMINDER_DAYS = 3


def check_trial_end(trial_end: int, *, param: str = "trial_end") -> None:
    """Raise ApiError unless the end is in the future and at most two years from now."""
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
    """Return when trial_will_end is due, or None if it was sent.

    That is three days before the trial ends, or at its start if it is shorter.
    """
    if row.body["status"] != "trialing" or row.notes.get("reminded"):
        return None
    moment: int = max(row.body["trial_end"] - REMINDER_DAYS * DAY, row.body["trial_start"])
    return moment


def send_reminder_if_due(row: StripeObject) -> bool:
    """Emit trial_will_end if it is due. The caller saves the row."""
    moment = find_reminder_time(row)
    if moment is None or moment > clock.now():
        return False
    send_reminder(row)
    return True


def send_reminder(row: StripeObject) -> None:
    row.notes["reminded"] = True
    events.emit("customer.subscription.trial_will_end", row)
