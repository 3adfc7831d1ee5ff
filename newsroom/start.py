"""Start-up: a wrong configuration stops every program, with a list of errors, not a traceback.

Nothing here may import models, because Celery imports this file before Django has loaded its apps.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.checks import ERROR, run_checks
from django.core.exceptions import ImproperlyConfigured

from campaigns.apps import CONFIGURATION


@contextmanager
def explained() -> Iterator[None]:
    """Exit with the list of errors if the settings are wrong; a traceback would hide it."""
    try:
        yield
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from None


def refuse_misconfiguration() -> None:
    """Raise ImproperlyConfigured with each error and how to fix it."""
    errors = [
        f"{error.id}: {error.msg}\n    {error.hint}"
        for error in run_checks(tags=[CONFIGURATION])
        if error.level >= ERROR and not error.is_silenced()
    ]
    if errors:
        raise ImproperlyConfigured("\n".join(["Fix these settings and start again.", *errors]))
