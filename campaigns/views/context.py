"""The context processor of all pages."""

from django.conf import settings
from django.http import HttpRequest

from campaigns import banners


def newsroom(request: HttpRequest) -> dict[str, object]:
    """Return the newsroom's name, logo and address, and whether this is the demo."""
    return {
        "newsroom_name": settings.NEWSROOM_NAME,
        "newsroom_logo": banners.read_logo(),
        "site_url": settings.SITE_URL,
        "is_demo": settings.DEMO,
    }
