"""The context processor of all pages."""

from django.conf import settings
from django.http import HttpRequest


def newsroom(request: HttpRequest) -> dict[str, object]:
    """Return the newsroom's name and address, and whether this is the demo or a rehearsal."""
    return {
        "newsroom_name": settings.NEWSROOM_NAME,
        "site_url": settings.SITE_URL,
        "is_demo": settings.DEMO,
        "is_rehearsal": settings.REHEARSAL,
    }
