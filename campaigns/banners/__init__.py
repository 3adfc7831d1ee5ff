"""8 Banners: choose a text, fill it in, render it and publish it ahead as a small file."""

from campaigns.banners.pictures import read_mark, wrap_lines
from campaigns.banners.placements import PLACEMENTS
from campaigns.banners.publishing import (
    list_campaigns_to_publish,
    publish_campaign,
    read_banner,
    request_publishing,
)
from campaigns.banners.texts import write_count

__all__ = [
    "PLACEMENTS",
    "list_campaigns_to_publish",
    "publish_campaign",
    "read_banner",
    "read_mark",
    "request_publishing",
    "wrap_lines",
    "write_count",
]
