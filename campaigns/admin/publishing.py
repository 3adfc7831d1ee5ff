"""Published files for staff: publish now, hide and show banners, what went wrong."""

from typing import Any

import structlog
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from campaigns import banners, fonts, tasks
from campaigns.admin.closing import in_its_zone
from campaigns.admin.pages import Link
from campaigns.errors import describe_failure, explain_error
from campaigns.models import Campaign
from campaigns.reports.titles import name_row

log = structlog.get_logger(__name__)


@admin.action(description=_("Publish banners"), permissions=["publish"])
def publish_now(
    pages: "admin.ModelAdmin[Any]", request: HttpRequest, campaigns: QuerySet[Campaign]
) -> None:
    for campaign in campaigns:
        try:
            published = banners.publish_campaign(campaign.pk)
        except Exception as error:  # every storage has its own errors
            log.exception("campaign_unpublished", campaign=campaign.slug)
            words = gettext(
                "%(campaign)s: banners not published (%(error)s). Readers still see the last "
                "ones. We’ll try again automatically."
            )
            level = messages.ERROR
            more = {"error": describe_failure(error).rstrip(".")}
        else:
            if published is None:
                words = gettext(
                    "%(campaign)s: banners not published. The campaign is being published or "
                    "recounted right now, or it has no primary goal."
                )
                level, more = messages.WARNING, {}
            else:
                words = gettext("%(campaign)s: banners published with %(number)s.")
                count = banners.write_count(published, language=get_language() or "en")
                level, more = messages.SUCCESS, {"number": count.words}
        pages.message_user(request, words % {"campaign": name_row(campaign), **more}, level)


@admin.action(description=_("Hide banners"), permissions=["publish"])
def hide_banners(
    pages: "admin.ModelAdmin[Any]", request: HttpRequest, campaigns: QuerySet[Campaign]
) -> None:
    for campaign in campaigns:
        banners.hide_banners(campaign.pk)
        pages.log_change(request, campaign, gettext("Banners hidden"))
        words = gettext("%(campaign)s: banners hidden. They disappear within a minute.")
        pages.message_user(request, words % {"campaign": name_row(campaign)})
    tasks.hurry("banners")


@admin.action(description=_("Show banners"), permissions=["publish"])
def show_banners(
    pages: "admin.ModelAdmin[Any]", request: HttpRequest, campaigns: QuerySet[Campaign]
) -> None:
    for campaign in campaigns:
        banners.show_banners(campaign.pk)
        pages.log_change(request, campaign, gettext("Banners shown"))
        words = gettext("%(campaign)s: banners shown. They appear within a minute.")
        pages.message_user(request, words % {"campaign": name_row(campaign)})
    tasks.hurry("banners")


def list_publishing_notices(campaign: Campaign) -> list[tuple[str, Link | None]]:
    """Return why the campaign's banners aren't published, or that they are hidden."""
    notices: list[tuple[str, Link | None]] = []
    if campaign.hides_banners:
        words = gettext(
            "The banners of this campaign are hidden. To show them, choose “Show banners” in the "
            "list of campaigns."
        )
        notices.append((words, None))
    if campaign.publish_error:
        words = gettext(
            "Publishing has failed since %(since)s (%(error)s). Readers still see the last "
            "published banners. We try again automatically."
        )
        since = in_its_zone(campaign, "publish_failed_at")
        notices.append(
            (
                words
                % {"since": since, "error": explain_error(campaign.publish_error).rstrip(".")},
                None,
            )
        )
    texts = "".join(f"{copy.name}{copy.headline}" for copy in campaign.copies.all())
    if missing := fonts.list_missing(texts):
        words = gettext(
            "The campaign’s picture leaves out characters that no font on this server can draw: "
            "%(missing)s"
        )
        notices.append((words % {"missing": missing}, None))
    return notices
