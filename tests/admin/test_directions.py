"""Texts that people typed in a script of the other direction don't reorder the words beside them.

A text alone in its element is kept apart by the style sheet; one inside a sentence by marks.
"""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import models
from django.test import Client
from django.urls import reverse

from campaigns.models import Campaign, CampaignCopy, Newsletter, PlanCopy
from tests.support.staff import MARKUP, OUR_MODELS, read_page

pytestmark = pytest.mark.django_db

TYPED = "محمد (7)"
ISOLATED = f"\u2068{TYPED}\u2069"
# Pages about texts for readers, which show them as readers see them.
FOR_READERS = re.compile(r"/(embed|preview|report|banner)")


class Texts(HTMLParser):
    """The texts of a page, each with what else its element has."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._skips = ""
        self.feed(re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL))  # charts

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self._skips = tag if tag in {"script", "style"} else ""

    def handle_endtag(self, tag: str) -> None:
        self._skips = ""

    def handle_data(self, data: str) -> None:
        if not self._skips and data.strip():
            self.found.append(" ".join(data.split()))


def list_mixed(page: str) -> list[str]:
    """Return the texts in which the typed one stands unmarked among other words."""
    return [
        text
        for text in Texts(page).found
        if TYPED in text and text != TYPED and TYPED in text.replace(ISOLATED, "")
    ]


@pytest.fixture
def typed(rows: Campaign, editor: User) -> Campaign:
    """One row of every model, with a typed text wherever a person may type one."""
    for model in OUR_MODELS:
        for field in model._meta.concrete_fields:
            is_text = isinstance(field, models.CharField | models.TextField)
            # PostgreSQL compares the length even if no row is changed.
            if is_text and (field.max_length or len(MARKUP)) >= len(MARKUP):
                model._default_manager.filter(**{field.name: MARKUP}).update(**{field.name: TYPED})
    CampaignCopy.objects.update(name=TYPED)
    PlanCopy.objects.update(name=TYPED)
    Newsletter.objects.update(name=TYPED)
    User.objects.filter(pk=editor.pk).update(first_name=TYPED)
    return rows


def list_pages(client: Client) -> list[str]:
    """Return the pages of the first row of each model, with those that its buttons lead to."""
    urls = ["/admin/"]
    for model in [*OUR_MODELS, User]:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        urls.append(reverse(f"{name}_changelist"))
        row = model._default_manager.order_by("pk").first()
        if row is None:
            continue
        own = reverse(f"{name}_change", args=[row.pk])
        panel = read_page(client.get(own, follow=True)).partition('class="staff-actions"')[2]
        buttons = re.findall(r'href="(/admin/[^"]+)"', panel.partition("</ul>")[0])
        urls += [own, reverse(f"{name}_history", args=[row.pk]), *buttons]
    return [url for url in urls if not FOR_READERS.search(url) and "data.json" not in url]


def test_no_page_mixes_a_typed_text_with_its_own_words(client: Client, typed: Campaign) -> None:
    pages = list_pages(client)
    pages += [f"/admin/search/?q={text}" for text in ("ada@example.org", TYPED, "€60", "60")]
    mixed = {}
    shown = 0
    for url in pages:
        page = read_page(client.get(url, follow=True))
        shown += TYPED in page
        if found := list_mixed(page):
            mixed[url] = found
    assert shown > 30, "the texts are on these pages"
    assert mixed == {}


def test_the_walk_sees_a_text_among_others() -> None:
    """Control: this is what it looks for."""
    assert list_mixed(f"<p>from {TYPED}, 3 May</p>") == [f"from {TYPED}, 3 May"]
    assert list_mixed(f"<td>{TYPED}</td><p>from {ISOLATED}, 3 May</p>") == []
