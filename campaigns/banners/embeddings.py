"""An embedding of a banner or of newsletter sign-ups, and what one way to embed it needs."""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django_stubs_ext import StrOrPromise

from campaigns.banners.files import name_banner
from campaigns.models import Campaign
from campaigns.progress import Progress

# The height in px that a frame has before it reports its own: in a column as wide as most articles.
HEIGHT = 420
COLUMN = 576


@dataclass(frozen=True)
class Embedding:
    """A banner to embed: whose, which, in which language, with which number."""

    campaign: Campaign
    placement: str
    language: str
    progress: Progress | None

    @property
    def name(self) -> str:
        return self.campaign.copy_for(self.language).name

    @property
    def folder(self) -> str:
        """The address of the published files in this language; it is the campaign page, too."""
        return f"{settings.SITE_URL}/campaign/{self.campaign.slug}/{self.language}/"


@dataclass(frozen=True)
class Way:
    """One way to embed a banner. `show` returns what readers get, if it isn't the snippet."""

    label: StrOrPromise
    steps: StrOrPromise
    write: Callable[[Embedding], str]
    show: Callable[[Embedding], str] | None = None

    def write_preview(self, embedding: Embedding) -> str:
        return (self.show or self.write)(embedding)


def write_include(embedding: Embedding) -> str:
    """Return an include that leaves the page whole if the banner can't be fetched in time.

    nginx would pass on the browser's Accept-Encoding and include compressed bytes, and the error
    page of a failed request.
    """
    folder = f"/campaign/{embedding.campaign.slug}/"
    file = f"{folder}{embedding.language}/{name_banner(embedding.placement)}"
    return (
        "# In the server block:\n"
        f"location {folder} {{\n"
        "  internal;\n"
        f"  proxy_pass {settings.SITE_URL};\n"
        "  proxy_ssl_server_name on;\n"
        '  proxy_set_header Accept-Encoding "";\n'
        "  proxy_connect_timeout 2s;\n"
        "  proxy_read_timeout 2s;\n"
        "  proxy_intercept_errors on;\n"
        "  error_page 400 403 404 429 500 502 503 504 = @no_banner;\n"
        "}\n"
        "location @no_banner { return 204; }\n"
        "ssi on;\n\n"
        "<!-- In the page: -->\n"
        f'<!--# include virtual="{file}" -->'
    )
