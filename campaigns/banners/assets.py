"""The styles and scripts that banners carry with them, so that one request shows a whole banner."""

import base64
import hashlib
import json
import re
from dataclasses import asdict
from functools import cache, lru_cache
from pathlib import Path

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

from campaigns.banners.placements import PLACEMENTS
from campaigns.models import Look

STATIC = Path(__file__).resolve().parent.parent / "static" / "campaigns"
# The tokens that follow from the five colours.
DERIVED = re.compile(r"--campaign-[a-z]+: color-mix\(.*\);")
FRAME_STYLE = "body{margin:0}campaign-banner{--campaign-margin:0}"


def read_style(placement: str, look: Look | None = None) -> SafeString:
    """Return the style sheet of a placement in the newsroom's look, without comments."""
    return _write_style(("common", *PLACEMENTS[placement].styles), _write_tokens(look or Look()))


def read_sign_up_style(look: Look) -> SafeString:
    """Return the style sheet of newsletter sign-ups in the newsroom's look."""
    wrong = "--campaign-wrong:light-dark(#9b1c1c,#ff9d94);"  # as in tokens.css
    return _write_style(("common", "block", "signup"), _write_tokens(look) + wrong)


def _write_tokens(look: Look) -> str:
    light, dark = asdict(look.light), asdict(look.dark)
    colours = [f"--campaign-{name}:light-dark({light[name]},{dark[name]});" for name in light]
    fonts = f"--campaign-serif:{look.serif};--campaign-sans:{look.sans};"
    return "".join(colours) + fonts


@lru_cache(maxsize=50)
def _write_style(names: tuple[str, ...], tokens: str) -> SafeString:
    derived = "".join(DERIVED.findall((STATIC / "tokens.css").read_text("ascii")))
    css = " ".join((STATIC / "banners" / f"{name}.css").read_text("ascii") for name in names)
    return _as_source(_shrink_css(f".campaign-banner {{{tokens}{derived}}} {css}"))


def _shrink_css(css: str) -> str:
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    css = re.sub(r"\s*([{};,<~])\s*", r"\1", " ".join(css.split()))
    css = re.sub(r"(?<=[\s:,(])0\.", ".", css.replace(": ", ":"))
    css = re.sub(r'="([a-z]+)"\]', r"=\1]", css)
    return css.replace(" !", "!").replace(";}", "}").strip()


@cache
def read_script(name: str) -> str:
    """Return a script of static/campaigns/banners/ without its comments and most spaces."""
    lines = (STATIC / "banners" / f"{name}.js").read_text("ascii").splitlines()
    kept = (line.strip() for line in lines)
    script = "\n".join(line for line in kept if line and not line.startswith("//"))
    parts = re.split(r'("[^"]*"|`[^`]*`|/[^/\n ]+/)', script)  # every second one is a literal
    parts[::2] = [
        re.sub(
            r"(?<!async)\((\w+)\)(?==>)|;?\n(?=})|(?<=[;{)])\n",
            r"\1",
            re.sub(r" ?([=>{}();,?:&|<+!*-]) ?", r"\1", part),
        )
        for part in parts[::2]
    ]
    return "".join(parts)


@cache
def read_closing_script() -> SafeString:
    """Return the script of a fragment that readers can hide. It names nothing in the page."""
    host = "document.currentScript.previousElementSibling"
    act = f"const host={host};letReaderHide(host,host.shadowRoot)"
    return _as_source(f"(()=>{{{read_script('closing')}\n{act}}})()")


@cache
def read_frame_script() -> SafeString:
    """Return the script of a banner's own page."""
    return _as_source(f"(()=>{{{read_script('closing')}\n{read_script('frame')}}})()")


@cache
def read_sign_up_script() -> SafeString:
    """Return the script of the page of a newsletter sign-up."""
    return _as_source(read_script("signup"))


def read_sign_up_component() -> bytes:
    """Return newsletter.js, the module that shows a newsletter sign-up."""
    return f"{_write_languages()}\n{read_script('newsletter')}".encode("ascii")


def read_component() -> bytes:
    """Return banner.js, the module of the web component."""
    parts = (_write_languages(), read_script("closing"), read_script("component"))
    return "\n".join(parts).encode("ascii")


def _write_languages() -> str:
    codes = [settings.LANGUAGE_CODE, *(code for code, _name in settings.LANGUAGES)]
    return f"const LANGUAGES={json.dumps(list(dict.fromkeys(codes)), separators=(',', ':'))};"


def hash_source(source: str) -> str:
    """Return the source as a Content-Security-Policy names it."""
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _as_source(text: str) -> SafeString:
    return mark_safe(text)  # noqa: S308 (our own files)
