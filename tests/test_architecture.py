"""Rules for the structure of the code: imports, names, sizes, templates and migrations."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from inspect import isfunction
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from django.core.management import call_command
from django.template import Engine, TemplateDoesNotExist
from django.template.loader_tags import ExtendsNode, IncludeNode
from django.template.utils import get_app_template_dirs

import campaigns
from campaigns import stripe_api

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[1]
MAX_LINES = 400
# It chooses the settings before it imports modules that need them.
MAY_IMPORT_LATE = {"newsroom/sandbox/__main__.py"}
TEMPLATE_ROOTS = [
    ROOT / "templates",
    ROOT / "newsroom" / "demo" / "templates",
    ROOT / "newsroom" / "sandbox" / "templates",
]
TEMPLATE_NAME = re.compile(r"(campaigns|emails|demo|sandbox|admin)/[\w/]+\.(html|txt|svg)")
NAMED_BY_DJANGO = {"400.html", "403.html", "403_csrf.html", "404.html", "500.html"}
SIGNALS = ("django.dispatch", "django.db.models.signals", "django.core.signals")
VAGUE_NAMES = {"utils", "util", "helpers", "misc", "common", "tools"}


def find_sources(*folders: str) -> dict[str, str]:
    """Return the text of each module by its path, without Django's migrations."""
    return {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "migrations" not in path.parts
    }


@lru_cache(maxsize=1000)
def parse(source: str) -> ast.Module:
    return ast.parse(source)


def list_imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module or ''}.{alias.name}" for alias in node.names)


def list_late_imports(source: str) -> list[str]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    return [
        name
        for node in ast.walk(parse(source))
        if isinstance(node, functions)
        for name in list_imports(node)
    ]


def uses_signals(source: str) -> bool:
    return any(name.startswith(SIGNALS) for name in list_imports(parse(source)))


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


def test_only_one_package_imports_stripe() -> None:
    importing = {
        path
        for path, source in find_sources("campaigns", "newsroom").items()
        if any(name.split(".")[0] == "stripe" for name in list_imports(parse(source)))
    }
    assert {path.rpartition("/")[0] for path in importing} == {"campaigns/stripe_api"}


def test_raw_stripe_objects_stay_in_their_package() -> None:
    """Functions of stripe_api return typed snapshots, so that mypy checks their callers."""
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


def test_no_module_uses_signals() -> None:
    using = [path for path, source in find_sources("campaigns").items() if uses_signals(source)]
    assert using == []


def test_imports_are_at_the_top() -> None:
    late = {
        path: names
        for path, source in find_sources("campaigns", "newsroom").items()
        if (names := list_late_imports(source))
    }
    assert set(late) == MAY_IMPORT_LATE, late


def test_the_searches_find_late_imports_and_signals() -> None:
    assert list_late_imports("def act():\n    from os import path\n") == ["os.path"]
    assert list_late_imports("import os\n") == []
    assert uses_signals("from django.db.models.signals import post_save\n")
    assert uses_signals("from django.dispatch import receiver\n")
    assert list(list_imports(parse("import stripe.webhook\n"))) == ["stripe.webhook"]


def test_no_module_has_a_vague_name() -> None:
    named = [
        path
        for path in find_sources("campaigns", "newsroom", "tests", "bin")
        if VAGUE_NAMES & set(Path(path).with_suffix("").parts)
    ]
    assert named == []


def test_no_module_is_too_long() -> None:
    long = {
        path: lines
        for path, source in find_sources("campaigns", "newsroom", "tests").items()
        if (lines := source.count("\n")) > MAX_LINES
    }
    assert long == {}


def test_the_map_names_every_module() -> None:
    text = str(campaigns.__doc__)
    folder = ROOT / "campaigns"
    not_on_map = {"__init__", "__pycache__", "apps", "migrations", "static", "locale"}
    modules = {path.stem for path in folder.iterdir() if not path.name.startswith(".")} - not_on_map
    missing = {name for name in modules if not re.search(rf"\b{name}\b", text)}
    assert missing == set(), "modules that the map doesn't name"
    journey = re.findall(r"\b([a-z_]+(?:/[a-z_]+)*(?:\.py|/))(?=\s|$)", text)
    assert len(journey) > 10
    assert [name for name in journey if not (folder / name).exists()] == []
    [chain] = re.findall(r"`(urls -> [^`]+)`", text)
    named = set(re.findall(r"[a-z_]+", chain))
    assert named == modules, "the order of imports must name each module"


# Templates


def find_templates() -> dict[str, Path]:
    """Return each template by the name under which it is loaded."""
    return {
        str(path.relative_to(root)): path
        for root in TEMPLATE_ROOTS
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def make_engine(*roots: Path) -> Engine:
    ours = Engine.get_default()
    builtins = [*ours.builtins, "newsroom.sandbox.templatetags.amounts"]
    folders = [*roots, *TEMPLATE_ROOTS, *get_app_template_dirs("templates")]
    dirs = [str(folder) for folder in folders]
    return Engine(dirs=dirs, libraries=ours.libraries, builtins=builtins)


def list_missing(engine: Engine, names: Iterable[str]) -> list[str]:
    """Return the templates that don't exist among these and those that they extend or include."""
    missing, checked, left = [], set(), set(names)
    while left:
        checked.add(name := left.pop())
        try:
            nodes: Any = engine.get_template(name).nodelist
        except TemplateDoesNotExist:
            missing.append(name)
            continue
        parts = [node.parent_name for node in nodes.get_nodes_by_type(ExtendsNode)]
        parts += [node.template for node in nodes.get_nodes_by_type(IncludeNode)]
        # Names that a view passes in are variables. Only literal ones can be looked up.
        left |= {str(part.var) for part in parts if isinstance(part.var, str)} - checked
    return missing


def list_unused(names: Iterable[str], text: str) -> list[str]:
    """Return the templates that no quoted string names.

    The sandbox adds its folder itself, and e-mails add the folder and the ending.
    """

    def is_named(name: str) -> bool:
        inner = name.partition("/")[2]
        written = [name, inner]
        if name.startswith("emails/"):
            written.append(inner.rpartition(".")[0].removesuffix("_subject"))
        return any(f'"{candidate}"' in text for candidate in written)

    return [name for name in names if name not in NAMED_BY_DJANGO and not is_named(name)]


def test_every_template_is_used() -> None:
    templates = find_templates()
    texts = [path.read_text("utf-8") for path in templates.values()]
    text = "\n".join([*find_sources("campaigns", "newsroom").values(), *texts])
    # Django and allauth load these instead of their own.
    theirs = ("admin/", "account/", "mfa/", "usersessions/")
    names = [name for name in templates if not name.startswith(theirs)]
    assert list_unused(names, text) == []
    assert list_unused(["campaigns/left_over.html"], text) == ["campaigns/left_over.html"]


def test_every_named_template_exists(tmp_path: Path) -> None:
    constants = (
        node.value
        for source in find_sources("campaigns", "newsroom").values()
        for node in ast.walk(parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    named = {text for text in constants if TEMPLATE_NAME.fullmatch(text)}
    assert len(named) > 20
    assert list_missing(make_engine(), named | set(find_templates())) == []
    (tmp_path / "page.html").write_text('{% if a %}{% include "campaigns/gone.html" %}{% endif %}')
    assert list_missing(make_engine(tmp_path), ["page.html"]) == ["campaigns/gone.html"]


# Migrations


def test_migrations_have_descriptive_names() -> None:
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
