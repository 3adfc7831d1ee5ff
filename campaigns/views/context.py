from django.conf import settings
from django.http import HttpRequest


def newsroom(request: HttpRequest) -> dict[str, object]:
    """What every page may say of the newsroom."""
    return {
        "newsroom_name": settings.NEWSROOM_NAME,
        "site_url": settings.SITE_URL,
        "is_demo": settings.DEMO,
    }
