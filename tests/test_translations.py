"""Every text for readers and staff has a Ukrainian translation with the same placeholders."""

import io
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.apps import apps
from django.utils.functional import Promise
from django.utils.translation.template import templatize

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "campaigns" / "locale"
KEYWORDS = {
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "_": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
# Ours are {name}; Django's are %(name)s and %s.
PLACEHOLDER = re.compile(r"\{\w*\}|%\(\w+\)s|%[sd]")

# A message's context and singular.
Key = tuple[str | None, str]


def list_sources() -> Iterator[tuple[Path, str]]:
    """Yield each file that can contain texts, as Python code."""
    for folder in ("campaigns", "newsroom", "templates"):
        for path in sorted((ROOT / folder).rglob("*")):
            if {"sandbox", "migrations", "locale"} & set(path.parts) or not path.is_file():
                continue
            if path.suffix == ".py":
                yield path, path.read_text()
            elif "templates" in path.parts and path.suffix in {".html", ".txt", ".svg"}:
                yield path, templatize(path.read_text(), origin=str(path))


@lru_cache
def used_messages() -> dict[Key, str]:
    """Return every message in the project, with a file and line where it is used."""
    found: dict[Key, str] = {}
    for path, code in list_sources():
        # Django turns a template's tags into calls, with text between them that isn't Python.
        # Babel's tokenizer would fail on it.
        for line, message, _, context in extract_from(code, is_python=path.suffix == ".py"):
            singular = message[0] if isinstance(message, tuple) else message
            if singular:
                found[(context, singular)] = f"{path.relative_to(ROOT)}:{line}"
    return found


CALL = re.compile(
    r"(?<![\w.])(?P<call>n?p?gettext|_)\((?P<arguments>(?:[^()'\"]|u?'(?:\\.|[^'\\])*'"
    r"|u?\"\"\".*?\"\"\"|u?\"(?:\\.|[^\"\\])*\")*)\)",
    re.DOTALL,
)


def extract_from(
    code: str, *, is_python: bool
) -> Iterator[tuple[int, str | tuple[str, ...], list[str], str | None]]:
    if is_python:
        yield from extract("python", io.BytesIO(code.encode()), keywords=KEYWORDS)
        return
    for call in CALL.finditer(code):
        line = code.count("\n", 0, call.start()) + 1
        for _, message, comments, context in extract(
            "python", io.BytesIO(call[0].encode()), keywords=KEYWORDS
        ):
            yield line, message, comments, context


@lru_cache
def catalogue(language: str) -> Catalog:
    with (LOCALE / language / "LC_MESSAGES" / "django.po").open("rb") as file:
        return read_po(file, locale=language)


def known_messages(language: str) -> dict[Key, Message]:
    known: dict[Key, Message] = {}
    for message in catalogue(language):
        singular = message.id[0] if isinstance(message.id, (tuple, list)) else message.id
        if singular:
            known[(message.context, singular)] = message
    return known


def test_the_search_for_texts_finds_them_in_code_and_templates() -> None:
    used = used_messages()
    assert (None, "Become a member") in used
    assert len(used) > 150


@pytest.mark.parametrize("language", ["uk"])
def test_every_text_is_translated(language: str) -> None:
    known = known_messages(language)
    missing = [
        f"{place}: {key[1]!r}"
        for key, place in used_messages().items()
        if key not in known or not all(_forms(known[key])) or known[key].fuzzy
    ]
    assert not missing, "\n".join(missing)


def test_every_name_of_a_model_and_its_fields_can_be_translated() -> None:
    """A field without a verbose name is shown by its attribute's name, in English."""
    unnamed = []
    for model in apps.get_app_config("campaigns").get_models():
        names = {"Meta": model._meta.verbose_name, "Meta, plural": model._meta.verbose_name_plural}
        for field in model._meta.fields:
            if not field.primary_key:
                names[field.name] = field.verbose_name
        unnamed += [
            f"{model.__name__}: {where}"
            for where, name in names.items()
            if not isinstance(name, Promise)
        ]
    assert not unnamed, "\n".join(unnamed)


@pytest.mark.parametrize("language", ["uk"])
def test_every_translated_text_is_still_used(language: str) -> None:
    assert set(known_messages(language)) - set(used_messages()) == set()


@pytest.mark.parametrize("language", ["uk"])
def test_a_translation_has_the_placeholders_of_its_text(language: str) -> None:
    wrong = []
    for (_, singular), message in known_messages(language).items():
        ids = message.id if isinstance(message.id, (tuple, list)) else [singular]
        wanted = set(PLACEHOLDER.findall(ids[-1]))
        for form in _forms(message):
            # The singular form may leave out the number.
            if set(PLACEHOLDER.findall(form)) - wanted or (
                len(ids) == 1 and set(PLACEHOLDER.findall(form)) != wanted
            ):
                wrong.append(f"{singular!r} -> {form!r}")
    assert not wrong, "\n".join(wrong)


def _forms(message: Message) -> list[str]:
    if isinstance(message.string, (tuple, list)):
        return list(message.string)
    return [message.string or ""]
