"""Reports at a stable address, for spreadsheets and other systems: read-only, without a person.

The key is part of the address, or in the header `Authorization: Bearer KEY`.
"""

from collections.abc import Callable
from datetime import date, datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from campaigns.attempts import count_attempt
from campaigns.models import Campaign, ReportToken
from campaigns.reports import tokens
from campaigns.reports.contents import Contents, gather_contents
from campaigns.reports.formats import as_csv, as_json
from campaigns.reports.page import NOTHING, Choice
from campaigns.views.limits import WrongGuesses
from campaigns.views.private import private

wrong_keys = WrongGuesses("report", times=20, overall=2000, seconds=3600)
MOST_A_MINUTE = 20  # for each key: a report reads many rows
Write = Callable[[Campaign, Choice, datetime], HttpResponse]


@require_safe
@private
def show_figures(request: HttpRequest, slug: str, key: str = "") -> HttpResponse:
    """Answer with what `campaign_report --format json` writes, without names of staff."""
    return _answer(request, key, slug, _write_figures)


@require_safe
@private
def show_days(request: HttpRequest, slug: str, key: str = "") -> HttpResponse:
    """Answer with one line a day, as CSV."""
    return _answer(request, key, slug, _write_days)


def _answer(request: HttpRequest, key: str, slug: str, write: Write) -> HttpResponse:
    if wrong_keys.must_wait(request):
        return _refuse("Too many wrong addresses. Try again in an hour.", 429, wait=3600)
    token = _find_token(request, key)
    if token is None:
        wrong_keys.count_guess(request)
        return _refuse("This address isn't valid, or was revoked. Add a new one in the admin.", 404)
    if count_attempt(f"report:{token.pk}", seconds=60) > MOST_A_MINUTE:
        return _refuse("Too many requests. Try again in a minute.", 429, wait=60)
    campaign = Campaign.objects.filter(slug=slug).first()
    if campaign is None:
        return _refuse("There is no such campaign.", 404)
    try:
        choice = _read_choice(request)
    except ValueError:
        return _refuse("Write days like this: ?from=2026-11-09&to=2026-11-15", 400)
    now = timezone.now()
    tokens.note_use(token, at=now)
    return write(campaign, choice, now)


def _find_token(request: HttpRequest, key: str) -> ReportToken | None:
    scheme, _space, sent = request.headers.get("Authorization", "").partition(" ")
    if not key and scheme.lower() == "bearer":
        key = sent.strip()
    return tokens.find_token(key) if key else None


def _read_choice(request: HttpRequest) -> Choice:
    """Return the days asked for; raises ValueError."""
    first, last = (
        date.fromisoformat(text) if (text := request.GET.get(name, "")) else None
        for name in ("from", "to")
    )
    if first and last and last < first:
        first, last = last, first
    return Choice(first, last, NOTHING)


def _write_figures(campaign: Campaign, choice: Choice, at: datetime) -> HttpResponse:
    contents = _gather(campaign, choice, at)
    text = as_json(contents.report, contents.page.outlook, names_staff=False)
    return HttpResponse(text, content_type="application/json")


def _write_days(campaign: Campaign, choice: Choice, at: datetime) -> HttpResponse:
    report = _gather(campaign, choice, at).report
    return HttpResponse(as_csv(report), content_type="text/csv; charset=utf-8")


def _gather(campaign: Campaign, choice: Choice, at: datetime) -> Contents:
    return gather_contents(
        campaign, choice, at=at, language=settings.LANGUAGE_CODE, may_be_kept=True
    )


def _refuse(words: str, status: int, *, wait: int = 0) -> HttpResponse:
    headers = {"Retry-After": str(wait)} if wait else {}
    return HttpResponse(
        f"{words}\n", status=status, content_type="text/plain; charset=utf-8", headers=headers
    )
