"""Accounts of staff: a lost second factor, and a lost last administrator."""

import structlog
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.utils.crypto import salted_hmac

from campaigns import history

log = structlog.get_logger(__name__)

ADMINISTRATOR = "administrator"  # the name of its group


class PasswordChangedMeanwhile(Exception):
    """A colleague, or the user, changed the password after the form was opened."""


@transaction.atomic
def reset_second_factor(user: User, *, by: User | None) -> bool:
    """Remove the user's second factors and recovery codes, and end their sessions.

    Return whether there was something to remove: a colleague may have been quicker.
    """
    User.objects.select_for_update().get(pk=user.pk)
    removed, _rows = Authenticator.objects.filter(user=user).delete()
    for session in UserSession.objects.filter(user=user):
        session.end()
    if removed:
        history.note_change(user, "Second factor reset.", by=by)
        log.warning("second_factor_reset", user=user.pk, by=by.pk if by else None)
    return bool(removed)


def mark_password(user: User) -> int:
    """Return a number that is another one once the password is changed, and tells nothing else."""
    return int(salted_hmac("campaigns.actions.staff", user.password).hexdigest()[:7], 16)


@transaction.atomic
def change_password(user: User, password: str, *, seen: int, by: User) -> User:
    """Change the password that had the mark `seen`, which signs the user out everywhere.

    A second click changes nothing. Raise PasswordChangedMeanwhile if it is another password.
    """
    locked = User.objects.select_for_update().get(pk=user.pk)
    if locked.check_password(password):
        return locked
    if mark_password(locked) != seen:
        raise PasswordChangedMeanwhile
    locked.set_password(password)
    locked.save(update_fields=["password"])
    history.note_change(locked, "Password changed.", by=by)
    return locked


@transaction.atomic
def restore_administrator(name: str, *, password: str) -> User:
    """Make this user an active administrator with this password and without a second factor."""
    user, is_new = User.objects.get_or_create(username=name)
    user.is_active = user.is_staff = True
    user.set_password(password)
    user.save()
    user.groups.add(Group.objects.get(name=ADMINISTRATOR))
    reset_second_factor(user, by=None)
    history.note_change(user, "Restored as administrator on the server.", by=None)
    log.warning("administrator_restored", user=user.pk, is_new=is_new)
    return user
