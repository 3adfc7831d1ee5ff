"""The admin leaves business writes to the actions and the packages that own them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from campaigns import admin

SOURCES = sorted(Path(str(admin.__file__)).parent.glob("*.py"))
WRITES = {"save", "create", "update", "delete", "bulk_create", "bulk_update", "get_or_create"}
# The names that the admin may use from packages that can change the count. None of these do.
ALLOWED = {
    "gifts": {
        "ChangedMeanwhile",
        "change_delivery",
        "change_recipient",
        "resend_gift",
        "valid_interval_of",
    },
    "members": {
        "Overview",
        "describe_membership",
        "gather_data",
        "load_overview",
        "make_token",
        "revoke_client",
        "set_address",
    },
    "progress": {
        "AlreadyClosed",
        "CannotClose",
        "Progress",
        "close_campaign",
        "fingerprint",
        "imagine_progress",
        "measure_campaign",
        "measure_recount",
        "sum_payouts",
        "reopen_campaign",
        "request_recount",
    },
    "settlement": {"SettlementBusy", "settle_checkout"},
    "stripe_api": {
        "find_dashboard_url",
        "is_stripe_page",
        "StripeError",
        "StripeRefused",
        "StripeUnavailable",
    },
    "memberships": {"access_until", "find_access", "has_access"},
    "payments": set(),
}


def find_writes(tree: ast.AST) -> Iterator[str]:
    """Find calls that write rows, outside the hooks in which Django saves the admin's own forms."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("save"):
            continue
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield from [ast.unparse(node)] if node.func.attr in WRITES else []
        yield from find_writes(node)


def find_inner_steps(tree: ast.AST) -> Iterator[str]:
    """Find names of the packages in ALLOWED that it doesn't list."""
    imported: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "campaigns":
            imported |= {alias.name for alias in node.names} & ALLOWED.keys()
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("campaigns."):
            package = str(node.module).split(".")[1]
            names = {alias.name for alias in node.names}
            if package in ALLOWED and not names <= ALLOWED[package]:
                yield ast.unparse(node)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            package = node.value.id
            if package in imported and node.attr not in ALLOWED[package]:
                yield ast.unparse(node)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_the_admin_writes_no_business_rows(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert list(find_writes(tree)) == []
    assert list(find_inner_steps(tree)) == []


def test_a_business_write_is_found() -> None:
    tree = ast.parse(
        "from campaigns import progress\n"
        "from campaigns.gifts.sales import assign_refund\n"
        "def record(member):\n"
        "    member.save()\n"
        "    progress.tally_members([member])\n"
        "def save_model(member):\n"
        "    member.save()\n"
    )
    assert list(find_writes(tree)) == ["member.save()"]
    assert list(find_inner_steps(tree)) == [
        "from campaigns.gifts.sales import assign_refund",
        "progress.tally_members",
    ]
