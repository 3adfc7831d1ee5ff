"""The page of whoever gave: each gift and its state, sent again or changed until it is claimed."""

from django.http import Http404, HttpRequest, HttpResponse


def show_gifts(request: HttpRequest, token: str) -> HttpResponse:
    raise Http404


def export_links(request: HttpRequest, token: str) -> HttpResponse:
    raise Http404


def change_gift(request: HttpRequest, token: str, position: int) -> HttpResponse:
    raise Http404


def show_card(request: HttpRequest, token: str, position: int) -> HttpResponse:
    raise Http404
