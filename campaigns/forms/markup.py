"""Markup pasted into a plain text: whether there is some, and the text without it."""

import html
import re
from html.parser import HTMLParser

_TAG = re.compile(r"</?[a-z][^<>]*>|<!--|<!doctype", re.IGNORECASE)
_CODE = re.compile(r"&(?:#\d+|#x[0-9a-f]+|[a-z][a-z0-9]*);", re.IGNORECASE)
_BLOCKS = {"br", "p", "div", "li", "ul", "ol", "tr", "blockquote", *(f"h{n}" for n in range(1, 7))}
_HIDDEN = {"script", "style", "title"}
_DEPTH = 5  # times that codes can hide markup: &amp;lt;b&amp;gt;


class _Words(HTMLParser):
    """The visible words of markup, with a line for each block."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.words, self._hidden = "", ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _HIDDEN:
            self._hidden = tag
        if tag in _BLOCKS:
            self.words += "\n"

    def handle_endtag(self, tag: str) -> None:
        if tag == self._hidden:
            self._hidden = ""
        if tag in _BLOCKS - {"br"}:
            self.words += "\n"

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words += data


def has_markup(text: str) -> bool:
    """Return whether the text has HTML tags, comments or codes such as &amp;."""
    codes = _CODE.finditer(text)
    return bool(_TAG.search(text)) or any(html.unescape(code[0]) != code[0] for code in codes)


def drop_markup(text: str) -> str:
    """Return the words of the text without tags and codes, with at most one blank line."""
    for _time in range(_DEPTH):
        if not has_markup(text):
            break
        text = _Words(text).words
    else:
        text = re.sub("[<>&]", "", text)
    lines = "\n".join(" ".join(line.split(" ")).strip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip()
