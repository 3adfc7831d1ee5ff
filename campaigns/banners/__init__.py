"""8 Banners: choose a text, fill it in, render it and publish it ahead as a small file."""

from campaigns.banners.answers import Answer, answer_from_file
from campaigns.banners.files import StorageRefused
from campaigns.banners.pages import describe_campaign, draw_picture, render_page
from campaigns.banners.pictures import read_logo, read_mark, wrap_lines
from campaigns.banners.placeholders import PLACEHOLDERS, list_unknown
from campaigns.banners.placements import PLACEMENTS
from campaigns.banners.publishing import (
    CannotWithdraw,
    hide_banners,
    list_campaigns_to_publish,
    publish_campaign,
    request_publishing,
    show_banners,
    withdraw_files,
)
from campaigns.banners.reading import read_banner
from campaigns.banners.texts import write_count

__all__ = [
    "PLACEHOLDERS",
    "PLACEMENTS",
    "Answer",
    "CannotWithdraw",
    "StorageRefused",
    "answer_from_file",
    "describe_campaign",
    "draw_picture",
    "hide_banners",
    "list_campaigns_to_publish",
    "list_unknown",
    "publish_campaign",
    "read_banner",
    "read_logo",
    "read_mark",
    "render_page",
    "request_publishing",
    "show_banners",
    "withdraw_files",
    "wrap_lines",
    "write_count",
]
