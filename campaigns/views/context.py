"""The context processor of all pages."""

from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext

from campaigns import banners
from campaigns.emails import links
from campaigns.models import Look, read_look


def newsroom(request: HttpRequest) -> dict[str, object]:
    """Return the newspaper's name, logo and address, and if this is the demo or a rehearsal."""
    look: Any = SimpleLazyObject(_read_look)  # not every page shows it
    return {
        "look": look,
        "look_url": SimpleLazyObject(lambda: _find_look_url(look)),
        "newsroom_name": SimpleLazyObject(lambda: look.name or str(settings.NEWSROOM_NAME)),
        "newsroom_logo": SimpleLazyObject(lambda: look.shown_logo),
        "newspaper_url": links.find_newspaper_url(),
        "legal_links": _list_legal_links(),
        "is_demo": settings.DEMO,
        "is_rehearsal": settings.REHEARSAL,
    }


def _read_look() -> Look:
    try:
        return read_look()
    except DatabaseError:  # an error page is better than none
        return Look()


def _find_look_url(look: Look) -> str:
    return banners.add_version(reverse("campaigns:look"), banners.write_look(look))


def _list_legal_links() -> list[tuple[str, str]]:
    """Return the label and address of each legal notice that has an address."""
    links_set = (
        (gettext("Terms"), settings.TERMS_URL),
        (gettext("Privacy"), settings.PRIVACY_URL),
        (gettext("Right of withdrawal"), settings.WITHDRAWAL_URL),
    )
    return [(label, url) for label, url in links_set if url]
