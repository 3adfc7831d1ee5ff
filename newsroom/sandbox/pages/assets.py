"""The stylesheet and the home page."""

from functools import cache
from pathlib import Path

from django.http import HttpRequest, HttpResponse

from newsroom.sandbox.instruments import BANK_ACCOUNTS, CARDS
from newsroom.sandbox.models import StripeObject

from .rendering import render_page

_STYLESHEET = Path(__file__).resolve().parent.parent / "assets" / "sandbox.css"


@cache
def _read_stylesheet() -> bytes:
    return _STYLESHEET.read_bytes()


def serve_stylesheet(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(_read_stylesheet(), content_type="text/css; charset=utf-8")
    response.headers["Cache-Control"] = "max-age=60"
    return response


def show_home(request: HttpRequest) -> HttpResponse:
    sessions = StripeObject.objects.filter(object="checkout.session").order_by("-seq")[:10]
    context = {
        "sessions": [row.body for row in sessions],
        "cards": CARDS.values(),
        "accounts": BANK_ACCOUNTS.values(),
    }
    return render_page(request, "home.html", context)
