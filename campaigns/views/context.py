"""The context processor of all pages."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext

from campaigns import banners
from campaigns.emails import links


def newsroom(request: HttpRequest) -> dict[str, object]:
    """Return the newspaper's name, logo and address, and if this is the demo or a rehearsal."""
    return {
        "newsroom_name": settings.NEWSROOM_NAME,
        "newsroom_logo": banners.read_logo(),
        "newspaper_url": links.find_newspaper_url(),
        "legal_links": _list_legal_links(),
        "is_demo": settings.DEMO,
        "is_rehearsal": settings.REHEARSAL,
    }


def _list_legal_links() -> list[tuple[str, str]]:
    """Return the label and address of each legal notice that has an address."""
    links_set = (
        (gettext("Terms"), settings.TERMS_URL),
        (gettext("Privacy"), settings.PRIVACY_URL),
        (gettext("Right of withdrawal"), settings.WITHDRAWAL_URL),
    )
    return [(label, url) for label, url in links_set if url]
