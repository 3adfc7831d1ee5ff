"""Nothing of the project serves or works on a configuration that its checks call an error."""

from django.core.checks import ERROR, run_checks
from django.core.exceptions import ImproperlyConfigured

# The tag of the checks in campaigns/checks.py. It is repeated here because Celery imports this
# file before Django has loaded its apps.
CONFIGURATION = "configuration"


def refuse_misconfiguration() -> None:
    """Raise ImproperlyConfigured, naming each error and how to mend it."""
    errors = [
        f"{error.id}: {error.msg}\n    {error.hint}"
        for error in run_checks(tags=[CONFIGURATION])
        if error.level >= ERROR and not error.is_silenced()
    ]
    if errors:
        raise ImproperlyConfigured("The configuration is not safe to run on.\n" + "\n".join(errors))
