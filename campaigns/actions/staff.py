"""Accounts of staff: a lost second factor, and a lost last administrator."""

import structlog
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Group, User
from django.db import transaction

from campaigns import history

log = structlog.get_logger(__name__)

ADMINISTRATOR = "administrator"  # the name of its group


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
