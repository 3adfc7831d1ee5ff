"""Start-up check: the web server and the workers refuse to start on a wrong configuration."""

from django.core.checks import ERROR, run_checks
from django.core.exceptions import ImproperlyConfigured

# The tag of the checks in campaigns/checks.py. It is repeated here because Celery imports this
# file before Django has loaded its apps.
CONFIGURATION = "configuration"


def refuse_misconfiguration() -> None:
    """Raise ImproperlyConfigured with each error and how to fix it."""
    errors = [
        f"{error.id}: {error.msg}\n    {error.hint}"
        for error in run_checks(tags=[CONFIGURATION])
        if error.level >= ERROR and not error.is_silenced()
    ]
    if errors:
        raise ImproperlyConfigured("\n".join(["Fix these settings and start again.", *errors]))
