"""8 Banners: choose the wording, fill it in, render, publish ahead as small files."""

from campaigns.banners.pictures import read_mark, wrap_lines
from campaigns.banners.publishing import (
    list_campaigns_to_publish,
    publish_campaign,
    read_banner,
    request_publishing,
)
from campaigns.banners.texts import write_count

__all__ = [
    "list_campaigns_to_publish",
    "publish_campaign",
    "read_banner",
    "read_mark",
    "request_publishing",
    "wrap_lines",
    "write_count",
]
