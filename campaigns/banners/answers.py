"""HTTP answers with published files, for the WSGI application and for views.

An address is `/campaign/SLUG/` and the file's name. Queries are ignored. The campaign page is at
`/campaign/SLUG/LANGUAGE/`, and its wall screen below it at `wall/`. Without the language, both are
in the reader's language.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.core.validators import slug_re
from django.http import parse_cookie
from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header

from campaigns.banners.files import (
    FRAME,
    NEWSLETTER,
    PAGE,
    SCRIPTS,
    PublishedFile,
    list_names,
    read_component_file,
    read_file,
)

PREFIX = "/campaign/"
# Caches may show an old file for a minute while they fetch a new one, and for a day if they can't.
PUBLIC = "public, max-age=15, stale-while-revalidate=60, stale-if-error=86400"
# The component understands one version of the data and says nothing about others, so browsers may
# keep it for an hour, and for a week while they fetch it again.
COMPONENT_CACHE = "public, max-age=3600, stale-while-revalidate=604800, stale-if-error=604800"
# The reader's language decides, so only the reader's browser may keep it.
PRIVATE = "private, no-cache"
# Pages that have an address in the reader's language: the campaign page and its wall screen.
WITHOUT_LANGUAGE = {"", "wall/"}
# Mailings put their day into the picture's address, so that none shows an older one's picture.
_DATED = re.compile(rf"(/{NEWSLETTER})-\d{{4}}-\d\d-\d\d(\.png|\.svg)$")
# Of pages for frames, whose further policy is inside them. Any page may frame them, also one
# without an origin, which "frame-ancestors *" would refuse.
ANY_FRAME = "base-uri 'none'"
OK, NOT_MODIFIED = 200, 304
ABOUT_BODY = {"Content-Type", "Content-Length", "Content-Encoding"}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    is_page: bool  # a whole page needs the headers that protect pages
    etag: str


def answer_from_file(
    path: str,
    *,
    coding: str = "",
    etag: str = "",
    cookie: str = "",
    languages: str = "",
) -> Answer | None:
    """Return the answer to a GET request from its path and headers; None if there is no file.

    `coding`, `etag`, `cookie` and `languages` are the headers Accept-Encoding, If-None-Match,
    Cookie and Accept-Language.
    """
    if not path.startswith(PREFIX):
        return None
    slug, slash, name = path[len(PREFIX) :].partition("/")
    if slug in SCRIPTS and not slash:
        script = read_component_file(slug)
        return None if script is None else _answer(script, coding, etag, is_private=False)
    if not slash:
        return None
    is_private = name in WITHOUT_LANGUAGE
    if is_private:
        name = f"{choose_language(cookie, languages)}/{name}{PAGE}"
    elif name.endswith("/"):
        name += PAGE
    else:
        name = _DATED.sub(r"\1\2", name)
    # Only names that publishing writes, so that no address leads out of the folder.
    if name not in list_names() or not slug_re.match(slug):
        return None
    file = read_file(slug, name)
    if file is None:
        return None
    return _answer(file, coding, etag, is_private=is_private)


def _answer(file: PublishedFile, coding: str, etag: str, *, is_private: bool) -> Answer:
    answer = _find_answer(file, _choose_coding(coding, file), is_private=is_private)
    return _shorten(answer) if etag and _is_known(answer, etag) else answer


def _find_answer(file: PublishedFile, coding: str, *, is_private: bool) -> Answer:
    """Return the answer with the whole file; it is made once for each version of the file."""
    key = (coding, is_private)
    answer = file.answers.get(key)
    if answer is None:
        answer = file.answers[key] = _build_answer(file, coding, is_private=is_private)
    return answer


def _build_answer(file: PublishedFile, coding: str, *, is_private: bool) -> Answer:
    is_page = file.name.endswith(PAGE)
    body = file.bodies[coding]
    etag = f'"{file.digest}-{coding}"' if coding else f'"{file.digest}"'
    headers = [
        ("Cache-Control", _choose_cache(file, is_private=is_private)),
        ("ETag", etag),
        ("X-Content-Type-Options", "nosniff"),
    ]
    if is_private:
        headers.append(("Vary", "Accept-Encoding, Accept-Language, Cookie"))
    elif len(file.bodies) > 1:
        headers.append(("Vary", "Accept-Encoding"))
    if not is_page:
        headers.append(("Access-Control-Allow-Origin", "*"))
        headers.append(("Cross-Origin-Resource-Policy", "cross-origin"))
    if file.name.endswith(FRAME):
        headers.append(("Content-Security-Policy", ANY_FRAME))
    about_body = [("Content-Type", file.content_type), ("Content-Length", str(len(body)))]
    if coding:
        about_body.append(("Content-Encoding", coding))
    return Answer(OK, [*headers, *about_body], body, is_page, etag)


def _choose_cache(file: PublishedFile, *, is_private: bool) -> str:
    if file.name in SCRIPTS:
        return COMPONENT_CACHE
    return PRIVATE if is_private else PUBLIC


def _is_known(answer: Answer, etag: str) -> bool:
    return etag == "*" or answer.etag in etag


def _shorten(answer: Answer) -> Answer:
    """Return the answer to a reader who has this version of the file already."""
    headers = [(name, value) for name, value in answer.headers if name not in ABOUT_BODY]
    return Answer(NOT_MODIFIED, headers, b"", answer.is_page, answer.etag)


def _choose_coding(accepted: str, file: PublishedFile) -> str:
    if not accepted or len(file.bodies) == 1:
        return ""
    return next((coding for coding in _list_codings(accepted) if coding in file.bodies), "")


@lru_cache(maxsize=500)
def _list_codings(accepted: str) -> tuple[str, ...]:
    """Return the codings that we have, the smallest first, of those that the header accepts."""
    refused: set[str] = set()
    known: set[str] = set()
    for part in accepted.lower().split(","):
        coding, _, quality = part.replace(" ", "").partition(";q=")
        (refused if quality.strip("0.") == "" and quality else known).add(coding)
    return tuple(
        coding
        for coding in ("br", "gzip")
        if coding not in refused and (coding in known or "*" in known)
    )


def choose_language(cookie: str, accepted: str) -> str:
    """Return the reader's language from the headers Cookie and Accept-Language."""
    chosen = parse_cookie(cookie).get(settings.LANGUAGE_COOKIE_NAME, "") if cookie else ""
    return _choose_language(chosen, accepted)


@lru_cache(maxsize=500)
def _choose_language(chosen: str, accepted: str) -> str:
    for code in (chosen, *(each for each, _ in parse_accept_lang_header(accepted))):
        try:
            return get_supported_language_variant(code)
        except (LookupError, ValueError):
            continue
    return settings.LANGUAGE_CODE
