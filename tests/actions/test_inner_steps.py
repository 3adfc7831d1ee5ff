"""Only `campaigns.actions` calls the inner steps that change the count."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from campaigns import actions, gifts
from campaigns.gifts import claims, decisions, sales

ROOT = Path(__file__).resolve().parents[2]
CALLERS = (
    "campaigns/admin",
    "campaigns/banners",
    "campaigns/checkout.py",
    "campaigns/deliveries",
    "campaigns/digests",
    "campaigns/emails",
    "campaigns/forms",
    "campaigns/health",
    "campaigns/jobs",
    "campaigns/management",
    "campaigns/newsletters",
    "campaigns/reports",
    "campaigns/tasks.py",
    "campaigns/templatetags",
    "campaigns/views",
    "campaigns/webhooks.py",
    "newsroom/demo",
)
# Functions that change counts or memberships without the other steps of an action.
INNER = {
    "campaigns.gifts": {
        "apply_claim",
        "apply_confirmation",
        "apply_pardon",
        "apply_reassignment",
        "apply_restoration",
        "apply_revocation",
        "assign_refund",
        "follow_payment_of_gift",
        "grant_gift",
        "reopen_gift",
        "upsert_gifts",
    },
    "campaigns.memberships": {
        "add_gift",
        "follow_payment",
        "grant_membership",
        "restore_access",
        "revoke_access",
        "upsert_one_off_membership",
        "upsert_subscription_membership",
    },
    "campaigns.members": {"end_subscription_now", "merge_members", "rehearse_merge"},
    "campaigns.erasures": {"request_erasure"},
    "campaigns.payments": {"record_offline_payment", "record_payment", "record_refund"},
    "campaigns.progress": {"tally_gift", "tally_gifts", "tally_members"},
}


def inner_steps_used_in(source: str) -> Iterator[str]:
    """Yield the inner steps that a module imports, or reaches through a package it imports."""
    tree = ast.parse(source)
    packages: dict[str, str] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or node.module is None:
            continue
        for alias in node.names:
            whole = f"{node.module}.{alias.name}"
            if whole in INNER:
                packages[alias.asname or alias.name] = whole
            for package, names in INNER.items():
                if f"{node.module}.".startswith(f"{package}.") and alias.name in names:
                    yield whole
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            package = packages.get(node.value.id, "")
            if node.attr in INNER.get(package, set()):
                yield f"{package}.{node.attr}"


def modules_of(path: str) -> list[Path]:
    return sorted((ROOT / path).rglob("*.py")) if (ROOT / path).is_dir() else [ROOT / path]


@pytest.mark.parametrize("path", CALLERS)
def test_callers_use_no_inner_step(path: str) -> None:
    used = {
        str(module.relative_to(ROOT)): found
        for module in modules_of(path)
        if (found := sorted(set(inner_steps_used_in(module.read_text(encoding="utf-8")))))
    }
    assert used == {}


@pytest.mark.parametrize(
    "source",
    [
        "from campaigns.gifts.claims import apply_claim\n",
        "from campaigns import progress\nprogress.tally_members([])\n",
        "from campaigns import gifts as given\nact = given.apply_claim\n",
        "def act():\n    from campaigns.memberships import grant_membership\n",
    ],
)
def test_the_search_finds_an_inner_step(source: str) -> None:
    assert list(inner_steps_used_in(source))


def test_the_search_ignores_actions_and_reads() -> None:
    assert not list(inner_steps_used_in("from campaigns import actions\nactions.claim_gift()\n"))
    assert not list(inner_steps_used_in("from campaigns import gifts\ngifts.find_gift('')\n"))


@pytest.mark.parametrize("package", sorted(INNER.keys() - {"campaigns.gifts"}))
def test_every_inner_step_exists(package: str) -> None:
    """If a step is renamed, this list has to be updated."""
    assert INNER[package] - set(vars(import_module(package))) == set()


def test_the_inner_steps_of_gifts_are_all_known() -> None:
    """Every new function in these modules is listed as an inner step or as one that only reads."""
    reads = {"expiry_of", "reversed_at_of", "unclaimed_status", "valid_interval_of"}
    defined = {
        name
        for module in (claims, decisions, sales)
        for name, value in vars(module).items()
        if getattr(value, "__module__", "") == module.__name__ and callable(value)
        if not name.startswith("_")
    }
    assert defined - reads == INNER["campaigns.gifts"]


def test_gifts_exports_no_inner_step() -> None:
    assert not INNER["campaigns.gifts"] & set(vars(gifts))
    assert not set(actions.__all__) & set(gifts.__all__)
