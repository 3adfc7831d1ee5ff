"""The context processor of all pages."""

from django.conf import settings
from django.http import HttpRequest

from campaigns.emails import links


def newsroom(request: HttpRequest) -> dict[str, object]:
    """Return the newspaper's name and address, and whether this is the demo or a rehearsal."""
    return {
        "newsroom_name": settings.NEWSROOM_NAME,
        "newspaper_url": links.find_newspaper_url(),
        "is_demo": settings.DEMO,
        "is_rehearsal": settings.REHEARSAL,
    }
