"""Typed settings from environment variables. Each error names the variable and how to fix it."""

import os
import re
from collections.abc import Callable, Collection
from functools import wraps
from io import StringIO
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import environ
from django.conf.global_settings import LANGUAGES
from django.core.exceptions import ImproperlyConfigured

TRUE = ("true", "on", "y", "yes", "1")
FALSE = ("false", "off", "n", "no", "0", "")
# Django knows more of each kind. Those need packages that we don't install, or they lose e-mails or
# counts: files, memory, nothing.
DATABASE_SCHEMES = ("postgres", "postgresql", "pgsql", "psql", "sqlite")
MAIL_SCHEMES = ("smtp", "smtps", "smtp+tls", "smtp+ssl", "consolemail")

Params = ParamSpec("Params")
Value = TypeVar("Value")
Reader = Callable[Concatenate["Environment", str, Params], Value]


def collected(read: Reader[Params, Value]) -> Reader[Params, Value]:
    """Make a reader collect its error in `problems` and return the default instead."""

    @wraps(read)
    def collect(
        self: "Environment", name: str, /, *args: Params.args, **kwargs: Params.kwargs
    ) -> Value:
        try:
            return read(self, name, *args, **kwargs)
        except ImproperlyConfigured as error:
            self.problems.append(str(error))
        wrong = os.environ.pop(name)
        try:
            return read(self, name, *args, **kwargs)
        finally:
            os.environ[name] = wrong

    return collect


class Environment:
    """Reads variables with django-environ, and collects what is wrong with them in `problems`.

    Errors repeat the value only where it can't contain a password.
    """

    def __init__(self) -> None:
        self._env = environ.Env()
        self.problems: list[str] = []

    def refuse_problems(self) -> None:
        """Raise ImproperlyConfigured with every wrong value and how to fix it."""
        if self.problems:
            raise ImproperlyConfigured(
                "\n".join(["Fix these settings and start again.", *self.problems])
            )

    def read_file(self, path: Path) -> None:
        """Add the variables of a file. Variables of the environment have precedence.

        Raises ImproperlyConfigured if it can't be read; django-environ would use the defaults.
        """
        try:
            self._env.read_env(StringIO(path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise ImproperlyConfigured(
                f"ENV_FILE: {path} can't be read: {error}. Correct ENV_FILE, or the file and its "
                "permissions."
            ) from None

    def text(self, name: str, *, default: str) -> str:
        return str(self._env.str(name, default=default))

    def secret(self, name: str, *, default: str) -> str:
        """Return a secret; an empty one counts as not set."""
        return self.text(name, default=default) or default

    @collected
    def url(self, name: str, *, default: str, example: str) -> str:
        """Return a URL that can be taken apart; empty only if that is the default."""
        value = self.text(name, default=default).strip()
        try:
            if not value and default:
                raise ValueError("empty")
            _ = urlsplit(value).port  # raises ValueError for a port that is not a number
        except ValueError:
            raise _invalid(name, example) from None
        return value

    @collected
    def folder(self, name: str, *, default: Path) -> Path:
        value = self.text(name, default=str(default)).strip()
        if not value:  # would be the current folder, whichever that is
            raise _wrong(name, "Write the path of a folder")
        return Path(value)

    def words(self, name: str, *, default: list[str]) -> list[str]:
        """Return the words of a list that is separated by commas."""
        return list(self._env.list(name, default=default))

    @collected
    def urls(self, name: str, *, default: list[str], example: str) -> list[str]:
        """Return URLs with a scheme and a host that are separated by commas; there may be none."""
        values = self.words(name, default=default)
        try:
            parts = [urlsplit(value) for value in values]
        except ValueError:
            parts = [urlsplit("")]
        if not all(part.scheme and part.hostname for part in parts):
            raise _wrong(name, f"Write whole addresses, separated by commas, for example {example}")
        return values

    @collected
    def pairs(self, name: str, *, default: dict[str, str]) -> dict[str, str]:
        """Return `name=value` pairs that are separated by commas."""
        try:
            return dict(self._env.dict(name, default=default))
        except ValueError:
            raise ImproperlyConfigured(
                f"{name} is not valid. Write name=value pairs, separated by commas."
            ) from None

    @collected
    def integer(self, name: str, *, default: int, least: int = 0, most: int = 10**9) -> int:
        """Return a whole number from `least` to `most`."""
        try:
            (number,) = _read_numbers([self.text(name, default=str(default))], least, most)
        except ValueError:
            raise _wrong(name, f"Write a whole number from {least:,} to {most:,}") from None
        return number

    @collected
    def integers(self, name: str, *, default: list[int], least: int, most: int) -> list[int]:
        """Return the whole numbers of a list that is separated by commas; it may be empty."""
        try:
            return _read_numbers(self.words(name, default=[str(n) for n in default]), least, most)
        except ValueError:
            cure = f"Write whole numbers from {least:,} to {most:,}, separated by commas"
            raise _wrong(name, cure) from None

    @collected
    def flag(self, name: str, *, default: bool) -> bool:
        value = bool(self._env.bool(name, default=default))
        # django-environ reads every word that it doesn't know as false.
        if not value and os.environ.get(name, "").strip().lower() not in FALSE:
            raise _wrong(name, "Write true or false")
        return value

    @collected
    def proxies(self, name: str, *, default: int) -> int:
        """Return a number of proxies, 0 to 9; true is one, false is none."""
        value = self.text(name, default=str(default)).strip().lower()
        if value in FALSE:
            return 0
        if value in TRUE:
            return 1
        if value not in set("23456789"):
            raise _wrong(name, "Write the number of proxies, for example 1")
        return int(value)

    @collected
    def choice(self, name: str, choices: Collection[str], *, default: str) -> str:
        """Return one of the upper-case `choices`; the variable may be in lower case."""
        value = self.text(name, default=default).strip().upper()
        if value not in choices:
            raise _wrong(name, f"Write one of {', '.join(choices)}")
        return value

    @collected
    def header(self, name: str, *, default: str) -> str:
        """Return the name of an HTTP header, or nothing."""
        value = self.text(name, default=default).strip()
        if not re.fullmatch(r"[A-Za-z0-9-]*", value):
            raise _wrong(name, "Write the name of a header, for example CF-IPCountry")
        return value

    @collected
    def networks(self, name: str, *, default: list[str]) -> list[str]:
        """Return networks as ranges of addresses."""
        try:
            return [str(ip_network(word.strip())) for word in self.words(name, default=default)]
        except ValueError:
            raise _wrong(name, "Write ranges of addresses, for example 10.1.0.0/16") from None

    @collected
    def time_zone(self, name: str, *, default: str) -> str:
        """Return the IANA name of a time zone."""
        value = self.text(name, default=default).strip()
        if value not in available_timezones():
            raise _wrong(name, "Write a time zone's name, for example Europe/Kyiv")
        return value

    @collected
    def languages(self, name: str, *, default: list[str]) -> list[tuple[str, str]]:
        """Return the code and the English name of each language, in the order of the variable."""
        known = dict(LANGUAGES)
        codes = [code.strip().lower() for code in self.words(name, default=default)]
        unknown = [code for code in codes if code not in known]
        if unknown or not codes:
            also = f" (Django doesn’t know {', '.join(map(repr, unknown))})" if unknown else ""
            raise _wrong(name, f"Write codes of languages, for example en,de,pt-br{also}")
        return [(code, known[code]) for code in dict.fromkeys(codes)]

    @collected
    def database(self, name: str, *, default: str) -> dict[str, Any]:
        example = "postgres://user:password@host:5432/name"
        return self._read_url(self._env.db_url, name, default, DATABASE_SCHEMES, example)

    @collected
    def mail_server(self, name: str, *, default: str) -> dict[str, Any]:
        example = "smtp+tls://user:password@host:587"
        return self._read_url(self._env.email_url, name, default, MAIL_SCHEMES, example)

    def _read_url(
        self,
        read: Callable[..., Any],
        name: str,
        default: str,
        schemes: Collection[str],
        example: str,
    ) -> dict[str, Any]:
        scheme, separator, _ = self.text(name, default=default).partition("://")
        try:
            if not separator or scheme not in schemes:
                raise ValueError("unknown scheme")
            return dict(read(name, default=default))
        except ValueError:  # raised for a port that is not a number, too
            raise _invalid(name, example) from None


def _read_numbers(words: list[str], least: int, most: int) -> list[int]:
    """Return whole numbers. Raises ValueError if one of the words is another one, or none."""
    numbers = [int(word) for word in words]
    if not all(least <= number <= most for number in numbers):
        raise ValueError("out of range")
    return numbers


def _invalid(name: str, example: str) -> ImproperlyConfigured:
    """Return an error that doesn't repeat the value: a URL may contain a password."""
    return ImproperlyConfigured(
        f"{name} is not valid. Write it like {example}, or remove it to use the default."
    )


def _wrong(name: str, cure: str) -> ImproperlyConfigured:
    value = os.environ.get(name, "")
    problem = repr(value) if value else "empty"
    return ImproperlyConfigured(f"{name} is {problem}. {cure}, or remove it to use the default.")
