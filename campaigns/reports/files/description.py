"""The document of a report: the same questions in the same order as on its page."""

from datetime import timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from campaigns.dates import write_end
from campaigns.models import read_newsroom_name
from campaigns.reports.contents import Contents
from campaigns.reports.files.details import describe_amounts, describe_retention, describe_sources
from campaigns.reports.files.document import Document
from campaigns.reports.files.standing import describe_days, describe_outlook, describe_standing
from campaigns.reports.headline import write_headline
from campaigns.zones import name_zone


def describe_document(contents: Contents) -> Document:
    """Return the document in the language of the contents. It has nobody's name in it."""
    with override(contents.language):
        goal, report = contents.report.primary, contents.report
        headline = write_headline(goal, contents.language) if goal else None
        outlook = describe_outlook(contents)
        return Document(
            title=report.name,
            newsroom=read_newsroom_name(),
            language=contents.language,
            lines=_list_lines(contents, note=headline.note if headline else ""),
            number=headline.number if headline else "",
            of=headline.rest
            if headline
            else _("This campaign has no goal yet. Add one on its page."),
            percent=None if goal is None else goal.percent,
            parts=[
                describe_standing(contents),
                *([outlook] if outlook else []),
                describe_days(contents),
                describe_sources(contents),
                *describe_amounts(contents),
                describe_retention(contents),
            ],
            rule=report.rule,
        )


def _list_lines(contents: Contents, *, note: str) -> list[str]:
    """Return when the campaign runs, which days are shown, and when this was true.

    `note` is about the number.
    """
    report, zone = contents.report, contents.campaign.zone_info
    begins, at = (moment.astimezone(zone) for moment in (report.starts_at, report.as_of))
    about = {
        "start": date_format(begins, "j E Y, H:i"),
        "end": write_end(report.ends_at, zone=zone, at=at),
        "zone": name_zone(report.zone, contents.language, at=at),
    }
    lines = [
        _("%(start)s until %(end)s, time in %(zone)s") % about,
        _("As of %(moment)s") % {"moment": date_format(at, "j E Y, H:i")},
    ]
    lines += [note] if note else []
    if not report.period.is_whole:
        about = {
            "first": date_format(report.period.first, "j E Y"),
            "last": date_format(report.period.end - timedelta(days=1), "j E Y"),
        }
        lines.append(_("Days shown: %(first)s to %(last)s") % about)
    lines += [contents.page.notice] if contents.page.notice else []
    return lines
