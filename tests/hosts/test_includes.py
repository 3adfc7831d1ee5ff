"""A banner that nginx includes in a page, with the text to paste from the Embed page."""

import shutil
from pathlib import Path

import pytest
import requests
from django.conf import LazySettings

from campaigns.banners.embeddings import Embedding
from campaigns.banners.snippets import WAYS
from campaigns.models import Campaign
from tests.hosts.conftest import Hosts
from tests.support.nginx import run_nginx
from tests.support.servers import find_free_port

pytestmark = [
    pytest.mark.once,
    pytest.mark.xdist_group("hosts"),
    pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed"),
]


def read_article(folder: Path, slug: str) -> str:
    """Return what a browser gets of an article with the banner of a campaign."""
    embedding = Embedding(Campaign(slug=slug), "inline", "en", None)
    configuration, include = WAYS["nginx"].write(embedding).split("\n\n")
    port = find_free_port()
    url = f"http://127.0.0.1:{port}/article.html"
    folder.chmod(0o755)
    (folder / "article.html").write_text(f"<p>The council votes</p>{include}<p>The end</p>")
    server = f"server {{ listen 127.0.0.1:{port}; root {folder};\n{configuration}\n}}"
    with run_nginx(folder, server, url=url):
        answer = requests.get(url, headers={"Accept-Encoding": "gzip, br"}, timeout=9)
    assert answer.status_code == 200
    start, end = "<p>The council votes</p><!-- In the page: -->", "<p>The end</p>"
    article = answer.text.replace("\n", "")
    assert article.startswith(start)
    assert article.endswith(end)
    return article[len(start) : -len(end)]


def test_a_page_includes_the_banner_for_browsers_that_accept_compression(
    hosts: Hosts, tmp_path: Path
) -> None:
    included = read_article(tmp_path, "birthday")
    assert included.encode() == hosts.read("inline.html").replace(b"\n", b"")


def test_a_page_includes_nothing_while_the_publishing_host_is_down(
    settings: LazySettings, tmp_path: Path
) -> None:
    settings.SITE_URL = f"http://127.0.0.1:{find_free_port()}"
    assert read_article(tmp_path, "birthday") == ""
