"""8 Banners: choose the wording, fill it in, render, publish ahead as small files."""

from campaigns.banners.publishing import (
    due_campaigns,
    publish_campaign,
    read_banner,
    request_publishing,
)

__all__ = ["due_campaigns", "publish_campaign", "read_banner", "request_publishing"]
