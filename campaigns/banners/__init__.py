"""8 Banners: choose a text, fill it in, render it and publish it ahead as a small file."""

from campaigns.banners.answers import ANY_FRAME, Answer, answer_from_file
from campaigns.banners.contents import BannerContent, describe_banner, thank_member
from campaigns.banners.files import StorageRefused, is_folder
from campaigns.banners.looks import add_version, write_look
from campaigns.banners.pages import (
    describe_campaign,
    render_files,
    render_page,
    render_shared_files,
    render_wall,
)
from campaigns.banners.pictures import read_mark, wrap_lines
from campaigns.banners.placeholders import PLACEHOLDERS, list_unknown, list_wrong_forms
from campaigns.banners.placements import EMBEDDED, PLACEMENTS
from campaigns.banners.posters import draw_icon, draw_newsletter, draw_picture
from campaigns.banners.publishing import (
    CannotWithdraw,
    find_next_publishing,
    hide_banners,
    list_campaigns_to_publish,
    publish_campaign,
    request_publishing,
    show_banners,
    withdraw_files,
)
from campaigns.banners.reading import find_article, place_banner, read_banner, read_sign_up
from campaigns.banners.rendering import render_banner, render_missing_frame
from campaigns.banners.sign_ups import TypedSignUp, render_frame
from campaigns.banners.texts import write_count
from campaigns.banners.walls import list_walls_for

__all__ = [
    "ANY_FRAME",
    "EMBEDDED",
    "PLACEHOLDERS",
    "PLACEMENTS",
    "Answer",
    "BannerContent",
    "CannotWithdraw",
    "StorageRefused",
    "TypedSignUp",
    "add_version",
    "answer_from_file",
    "describe_banner",
    "describe_campaign",
    "draw_icon",
    "draw_newsletter",
    "draw_picture",
    "find_article",
    "find_next_publishing",
    "hide_banners",
    "is_folder",
    "list_campaigns_to_publish",
    "list_unknown",
    "list_walls_for",
    "list_wrong_forms",
    "place_banner",
    "publish_campaign",
    "read_banner",
    "read_mark",
    "read_sign_up",
    "render_banner",
    "render_files",
    "render_frame",
    "render_missing_frame",
    "render_page",
    "render_shared_files",
    "render_wall",
    "request_publishing",
    "show_banners",
    "thank_member",
    "withdraw_files",
    "wrap_lines",
    "write_count",
    "write_look",
]
