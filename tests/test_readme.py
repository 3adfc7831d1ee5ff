"""README and docs/: links, commands and settings that they name exist."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
IDS = [str(page.relative_to(ROOT)) for page in PAGES]
SCREEN = 20  # lines
FOLDERS = "bin|campaigns|newsroom|requirements|templates|tests"


def read_links(page: Path) -> list[str]:
    """Return the targets of the page's links, except those to other sites."""
    targets = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    return [target for target in targets if not target.startswith("http")]


def read_anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to the page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def is_valid_target(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    linked = (page.parent / path).resolve() if path else page
    return linked.exists() and (not anchor or anchor in read_anchors(linked))


def is_module(path: Path) -> bool:
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def test_the_first_screen_of_the_readme_has_the_picture_and_both_commands() -> None:
    first_screen = "\n".join(README.read_text(encoding="utf-8").splitlines()[:SCREEN])
    assert "bin/demo" in first_screen
    assert "bin/test" in first_screen
    assert re.search(r"!\[[^\]]{20,}\]\(", first_screen)


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_relative_links_lead_to_existing_files_and_headings(page: Path) -> None:
    assert [target for target in read_links(page) if not is_valid_target(page, target)] == []


def test_a_broken_link_is_found() -> None:
    assert len(read_links(README)) >= 5
    assert is_valid_target(README, "docs/operations.md#webhook-events")
    assert not is_valid_target(README, "docs/no-such-page.md")
    assert not is_valid_target(README, "docs/operations.md#no-such-heading")


def test_the_contents_of_operations_list_every_section_in_order() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    contents = re.findall(r"^- \[(.+)\]\(#.+\)$", text, re.MULTILINE)
    assert contents == re.findall(r"^## (.+)$", text, re.MULTILINE)


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, ahead = set(), [README]
    while ahead:
        page = ahead.pop()
        if page not in reached:
            reached.add(page)
            targets = (target.partition("#")[0] for target in read_links(page))
            ahead += [(page.parent / path).resolve() for path in targets if path.endswith(".md")]
    assert set(PAGES) - reached == set()


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_commands_and_modules_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert set(re.findall(r"manage\.py ([a-z]\w+)", text)) - set(get_commands()) == set()
    modules = [
        name.replace(".", "/") for name in re.findall(r"-m ((?:tests|newsroom)[\w.]+)", text)
    ]
    assert [name for name in modules if not is_module(ROOT / name)] == []
    files = re.findall(rf"(?<![\w/.])((?:{FOLDERS})/[\w/.-]*\w)", text)
    assert [path for path in files if not (ROOT / path).exists()] == []


def test_an_option_that_a_page_names_belongs_to_its_command() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    calls = re.findall(r"manage\.py ([a-z]\w+)((?: [^\s`]+)* --[^\n`]*)", text)
    assert len(calls) > 10
    for name, options in calls:
        known = load_command_class(get_commands()[name], name).create_parser("", name)
        typed = set(re.findall(r"(?<!\S)--[a-z][a-z-]*", options))
        assert typed - set(known._option_string_actions) == set(), name


def test_each_decision_is_a_question_with_context_decision_and_consequences() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    index = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    for number, page in enumerate(pages, start=1):
        title, *headings = re.findall(r"^#+ .+$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert page.name.startswith(f"{number:04}-")
        assert title.endswith("?")
        assert headings == ["## Context", "## Decision", "## Consequences"]
        assert f"[{title.removeprefix('# ')}]({page.name})" in index


def test_the_pages_describe_the_commands_of_the_application() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    named = set(re.findall(r"manage\.py (\w+)", text))
    own = {name for name, app in get_commands().items() if app == "campaigns"}
    assert own
    assert own - named == set()


def test_each_figure_names_the_command_that_prints_it() -> None:
    figures = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")
    _, *sections = figures.split("\n## ")
    assert len(sections) >= 5
    for section in sections:
        assert re.search(
            r"^    .*(-m tests\.bench\.|bin/test |manage\.py )", section, re.MULTILINE
        ), section
