"""The shape of the code, held by tests, so that it does not have to be remembered."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from inspect import isfunction
from pathlib import Path
from typing import get_type_hints

import pytest
from django.contrib import admin
from django.core.management import call_command

import campaigns
from campaigns import stripe_api

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[1]
LONGEST = 400  # lines
# Their settings are chosen first, and what they import needs the settings.
MAY_IMPORT_LATE = {"newsroom/sandbox/__main__.py"}
# Django looks for these by name.
OF_DJANGO = {"400.html", "403.html", "403_csrf.html", "404.html", "500.html"}
DJANGOS = Path(admin.__file__).parent / "templates"
SIGNALS = ("django.dispatch", "django.db.models.signals", "django.core.signals")
NO_NAMES = {"utils", "util", "helpers", "misc", "common", "tools"}


def find_sources(*folders: str) -> dict[str, str]:
    """The text of each of the project's modules by its path; migrations are Django's prose."""
    return {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "migrations" not in path.parts
    }


@lru_cache(maxsize=1000)
def parse(source: str) -> ast.Module:
    return ast.parse(source)


def imported_by(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module or ''}.{alias.name}" for alias in node.names)


def imported_late(source: str) -> list[str]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    return [
        name
        for node in ast.walk(parse(source))
        if isinstance(node, functions)
        for name in imported_by(node)
    ]


def uses_signals(source: str) -> bool:
    return any(name.startswith(SIGNALS) for name in imported_by(parse(source)))


def test_imports_keep_the_contracts() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Contracts: [4-9] kept, 0 broken", done.stdout)


def test_one_package_speaks_with_stripe() -> None:
    speaking = {
        path
        for path, source in find_sources("campaigns", "newsroom").items()
        if any(name.split(".")[0] == "stripe" for name in imported_by(parse(source)))
    }
    assert {path.rpartition("/")[0] for path in speaking} == {"campaigns/stripe_api"}


def test_stripes_raw_objects_stay_in_their_package() -> None:
    """Every function of stripe_api returns snapshots, so that mypy checks all that use them."""
    returned = {
        name: str(get_type_hints(value).get("return"))
        for name in stripe_api.__all__
        if isfunction(value := getattr(stripe_api, name))
    }
    assert "Session" in returned["fetch_session"]
    raw = {name for name, hint in returned.items() if re.search(r"\bdict\b|\bAny\b", hint)}
    assert raw == set()
    using = [
        path
        for path, source in find_sources("campaigns").items()
        if not path.startswith("campaigns/stripe_api/")
        if re.search(r"stripe_api\.client\b|stripe_api[.\w]* import .*\bJson\b", source)
    ]
    assert using == []


def test_nothing_happens_by_signals() -> None:
    using = [path for path, source in find_sources("campaigns").items() if uses_signals(source)]
    assert using == []


def test_imports_stand_at_the_top() -> None:
    late = {
        path: names
        for path, source in find_sources("campaigns", "newsroom").items()
        if (names := imported_late(source))
    }
    assert set(late) == MAY_IMPORT_LATE, late


def test_what_looks_for_the_forbidden_finds_it() -> None:
    assert imported_late("def act():\n    from os import path\n") == ["os.path"]
    assert imported_late("import os\n") == []
    assert uses_signals("from django.db.models.signals import post_save\n")
    assert uses_signals("from django.dispatch import receiver\n")
    assert list(imported_by(parse("import stripe.webhook\n"))) == ["stripe.webhook"]


def test_no_module_is_named_for_what_it_is_not() -> None:
    named = [
        path
        for path in find_sources("campaigns", "newsroom", "tests", "bin")
        if NO_NAMES & set(Path(path).with_suffix("").parts)
    ]
    assert named == []


def test_no_module_is_too_long_to_be_read() -> None:
    long = {
        path: lines
        for path, source in find_sources("campaigns", "newsroom", "tests").items()
        if (lines := source.count("\n")) > LONGEST
    }
    assert long == {}


def test_the_map_names_every_module_and_no_other() -> None:
    text = str(campaigns.__doc__)
    folder = ROOT / "campaigns"
    beside = {"__init__", "__pycache__", "apps", "migrations", "static", "locale"}
    modules = {path.stem for path in folder.iterdir() if not path.name.startswith(".")} - beside
    missing = {name for name in modules if not re.search(rf"\b{name}\b", text)}
    assert missing == set(), "these modules are not on the map"
    journey = re.findall(r"\b([a-z_]+(?:/[a-z_]+)*(?:\.py|/))(?=\s|$)", text)
    assert len(journey) > 10
    assert [name for name in journey if not (folder / name).exists()] == []
    [chain] = re.findall(r"`(urls -> [^`]+)`", text)
    named = set(re.findall(r"[a-z_]+", chain))
    assert named == modules, "the order of imports names each module"


# Templates


def template_roots() -> list[Path]:
    nested = [
        path for name in ("campaigns", "newsroom") for path in (ROOT / name).rglob("templates")
    ]
    return [ROOT / "templates", *(path for path in nested if path.is_dir())]


def find_templates() -> dict[str, Path]:
    """Each template by the name under which it is loaded."""
    return {
        str(path.relative_to(root)): path
        for root in template_roots()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


NAME = re.compile(r"[\w-]+(?:/[\w.-]+)+\.(?:html|txt|svg|xml)")
BARE = re.compile(r"[\w-]+\.(?:html|txt|svg)")
QUOTED = re.compile(rf"""["']({NAME.pattern}|{BARE.pattern})["']""")


def named_in_modules() -> tuple[set[str], set[str]]:
    """The names of templates in the code: those written out, and patterns for composed ones."""
    nodes = [
        node
        for source in find_sources("campaigns", "newsroom").values()
        for node in ast.walk(parse(source))
    ]
    texts = {
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    composed: set[str] = set()
    for node in nodes:
        if not isinstance(node, ast.JoinedStr):
            continue
        parts = [
            re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"[\w-]+"
            for part in node.values
        ]
        if re.search(r"/.*\\\.(html|txt|svg)$", "".join(parts)):
            composed.add("".join(parts))
        elif len(parts) == 2 and re.fullmatch(r"[\w-]+/", parts[0]):
            # A folder, and a name that stands by itself somewhere else.
            composed |= {parts[0] + re.escape(text) for text in texts if BARE.fullmatch(text)}
    return {text for text in texts if NAME.fullmatch(text)}, composed


def named_in_templates() -> set[str]:
    return {
        name
        for path in find_templates().values()
        for tag in re.findall(r"(?s){%\s*(?:include|extends)\b.*?%}", path.read_text("utf-8"))
        for name in QUOTED.findall(tag)
    }


def test_every_template_is_used() -> None:
    whole, composed = named_in_modules()
    used = whole | named_in_templates() | OF_DJANGO
    left_over = [
        name
        for name in find_templates()
        if name not in used
        and not any(re.fullmatch(pattern, name) for pattern in composed)
        and not name.startswith("admin/")  # by its name it takes the place of Django's own
    ]
    assert left_over == []


def test_every_template_that_is_named_exists() -> None:
    whole, composed = named_in_modules()
    templates = find_templates()
    folders = {name.split("/")[0] for name in templates if "/" in name}
    named = {name for name in whole if name.split("/")[0] in folders} | named_in_templates()
    assert len(named) > 20
    missing = sorted(named - set(templates))
    # Django's own pages of the admin are found where Django keeps them.
    assert [name for name in missing if not (DJANGOS / name).is_file()] == []
    assert [
        pattern
        for pattern in composed
        if "+" in pattern
        and pattern.split("/")[0] in folders
        and not any(re.fullmatch(pattern, name) for name in templates)
    ] == []


# Migrations


def test_migrations_are_named_for_what_they_do() -> None:
    names = [
        path.stem
        for path in (ROOT / "campaigns" / "migrations").glob("*.py")
        if path.stem != "__init__"
    ]
    assert names
    assert [name for name in names if not re.fullmatch(r"\d{4}_[a-z]\w+", name)] == []
    assert [name for name in names if "_auto_" in name] == []


@pytest.mark.django_db
def test_models_and_migrations_agree() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
