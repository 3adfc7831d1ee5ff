"""The context processor of all pages."""

from django.conf import settings
from django.http import HttpRequest

from campaigns import banners
from campaigns.emails import links


def newsroom(request: HttpRequest) -> dict[str, object]:
    """Return the newspaper's name, logo and address, and if this is the demo or a rehearsal."""
    return {
        "newsroom_name": settings.NEWSROOM_NAME,
        "newsroom_logo": banners.read_logo(),
        "newspaper_url": links.find_newspaper_url(),
        "is_demo": settings.DEMO,
        "is_rehearsal": settings.REHEARSAL,
    }
