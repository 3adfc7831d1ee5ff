"""Markup in texts that staff write: what is allowed, what is refused, and the text without it.

Plain texts have none. Rich texts may have emphasis and links, written exactly like this:
<em>…</em>, <strong>…</strong> and <a href="https://…">…</a>.
"""

import html
import re
from html.parser import HTMLParser

import nh3

_LINK = r'<a href="https?://[^"<>{}\s]+">'
_RICH = re.compile(rf"<(/?)(em|strong)>|{_LINK}|</a>")
_TAG = re.compile(r"</?[a-z][^<>]*>|<!--|<!doctype", re.IGNORECASE)
_CODE = re.compile(r"&(?:#\d+|#x[0-9a-f]+|[a-z][a-z0-9]*);", re.IGNORECASE)
_BLOCKS = {"br", "p", "div", "li", "ul", "ol", "tr", "blockquote", *(f"h{n}" for n in range(1, 7))}
_HIDDEN = {"script", "style", "title"}
_EMPHASIS = {"em": "em", "i": "em", "strong": "strong", "b": "strong"}
_DEPTH = 5  # times that codes can hide markup: &amp;lt;b&amp;gt;


class _Words(HTMLParser):
    """The visible words of markup, with a line for each block, and with what is allowed."""

    def __init__(self, markup: str, *, is_rich: bool) -> None:
        super().__init__()
        self.words, self._hidden = "", ""
        self._is_rich = is_rich
        self._open: list[str] = []
        self.feed(markup)
        self.close()
        while self._open:
            self.words += f"</{self._open.pop()}>"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _HIDDEN:
            self._hidden = tag
        if tag in _BLOCKS:
            self.words += "\n"
        if not self._is_rich:
            return
        if _EMPHASIS.get(tag) in {"em", "strong"} - {*self._open}:
            self._open_tag(_EMPHASIS[tag], f"<{_EMPHASIS[tag]}>")
        elif tag == "a" and "a" not in self._open:
            link = f'<a href="{dict(attrs).get("href")}">'
            if re.fullmatch(_LINK, link):
                self._open_tag("a", link)

    def _open_tag(self, name: str, tag: str) -> None:
        self._open.append(name)
        self.words += tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self._hidden:
            self._hidden = ""
        if tag in _BLOCKS - {"br"}:
            self.words += "\n"
        name = _EMPHASIS.get(tag, tag)
        while name in self._open:
            closed = self._open.pop()
            self.words += f"</{closed}>"
            if closed == name:
                break

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words += data


def has_markup(text: str, *, is_rich: bool = False) -> bool:
    """Return whether the text has HTML tags, comments or codes such as &amp; that aren't allowed.

    In a rich text, emphasis and links are allowed if they are closed in the right order.
    """
    if is_rich:
        if not _is_balanced(text):
            return True
        text = _RICH.sub("", text)
    codes = _CODE.finditer(text)
    return bool(_TAG.search(text)) or any(html.unescape(code[0]) != code[0] for code in codes)


def _is_balanced(text: str) -> bool:
    opened: list[str] = []
    for tag in _RICH.finditer(text):
        name = tag[2] or "a"
        if not tag[0].startswith("</"):
            if name in opened:
                return False
            opened.append(name)
        elif not opened or opened.pop() != name:
            return False
    return not opened


def drop_markup(text: str, *, is_rich: bool = False) -> str:
    """Return the words of the text without tags and codes, with at most one blank line.

    A rich text keeps its emphasis and links.
    """
    for _time in range(_DEPTH):
        if not has_markup(text, is_rich=is_rich):
            break
        text = _Words(text, is_rich=is_rich).words
    else:
        text = re.sub("[<>&]", "", text)
    lines = "\n".join(" ".join(line.split(" ")).strip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip()


def count_visible(text: str) -> int:
    """Return the number of characters that readers see of a rich text."""
    return len(_RICH.sub("", text))


def escape_text(text: str) -> str:
    """Return a rich text as HTML: its emphasis and links, and everything else as words."""
    parts, start = [], 0
    for tag in _RICH.finditer(text):
        parts += [html.escape(text[start : tag.start()], quote=False), tag[0]]
        start = tag.end()
    return "".join([*parts, html.escape(text[start:], quote=False)])


def clean_html(markup: str) -> str:
    """Return HTML with emphasis and links alone, all of them closed."""
    cleaned = nh3.clean(
        markup,
        tags={"em", "strong", "a"},
        attributes={"a": {"href"}},
        url_schemes={"http", "https"},
        link_rel=None,
    )
    return cleaned.replace("&nbsp;", "\N{NO-BREAK SPACE}")  # unknown to XML
