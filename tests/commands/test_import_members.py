"""Members from before, brought in under an address that somebody left or that was erased."""

import io
from pathlib import Path

import pytest
from pytest_django import DjangoAssertNumQueries

from campaigns import members, progress
from campaigns.models import Campaign, ErasedAddress, FormerAddress, Member, Membership, Tally
from campaigns.models.erasure import hash_erased
from tests.commands.test_commands import bring_in
from tests.support.factories import make_campaign, make_member, make_payment

pytestmark = pytest.mark.django_db


@pytest.fixture
def birthday() -> Campaign:
    return make_campaign()


@pytest.fixture
def ada() -> Member:
    """Known by another address before, by which the file still has her."""
    member = make_member("ada@example.org")
    FormerAddress.objects.create(member=member, email="adele@example.net")
    return member


FILE = "email,since,name\nAdele@Example.net,2024-11-30,Ada Reader\nben@example.org,2024-11-30,Ben\n"


def test_a_former_address_brings_the_membership_to_its_person(tmp_path: Path, ada: Member) -> None:
    assert bring_in(tmp_path, FILE) == "2 brought in, 0 known already, 0 with errors\n"
    assert Member.objects.count() == 2
    membership = ada.memberships.get()
    assert membership.import_key == "adele@example.net 2024-11-30"
    ada.refresh_from_db()
    assert (ada.email, ada.name) == ("ada@example.org", "Ada Reader")
    assert bring_in(tmp_path, FILE) == "0 brought in, 2 known already, 0 with errors\n"


def test_whoever_has_the_address_now_comes_before_whoever_had_it(
    tmp_path: Path, ada: Member
) -> None:
    adele = make_member()
    Member.objects.filter(pk=adele.pk).update(email="adele@example.net")
    bring_in(tmp_path, FILE)
    assert adele.memberships.count() == 1
    assert ada.memberships.count() == 0


def test_both_addresses_of_one_person_in_one_file(tmp_path: Path, ada: Member) -> None:
    bring_in(tmp_path, FILE + "ada@example.org,2020-01-01,Another Name\n")
    assert ada.memberships.count() == 2
    assert Member.objects.get(pk=ada.pk).name in {"Ada Reader", "Another Name"}


def test_what_was_brought_in_for_one_of_two_is_known_after_they_are_merged(
    tmp_path: Path, birthday: Campaign
) -> None:
    ada, adele = make_member("ada@example.org"), make_member("adele@example.net")
    make_payment(ada, birthday, "2026-11-10 12:00")
    progress.tally_members([ada])
    assert Tally.objects.count() == 1
    bring_in(tmp_path, FILE)
    assert Tally.objects.count() == 1
    members.merge_members(kept=ada, gone=adele)
    assert not Tally.objects.exists(), "she was a member before"
    assert bring_in(tmp_path, FILE) == "0 brought in, 2 known already, 0 with errors\n"
    assert ada.memberships.filter(source="imported").count() == 1


def test_an_import_takes_whoever_left_the_address_out_of_the_count(
    tmp_path: Path, birthday: Campaign, ada: Member
) -> None:
    make_payment(ada, birthday, "2026-11-10 12:00")
    progress.tally_members([ada])
    bring_in(tmp_path, FILE)
    assert not Tally.objects.exists()


def test_whoever_wished_to_be_forgotten_is_not_brought_back(tmp_path: Path) -> None:
    ErasedAddress.objects.create(address_hash=hash_erased("adele@example.net"))
    told = "1 brought in, 0 known already, 1 erased at their wish and not brought back, 0 with "
    assert bring_in(tmp_path, FILE) == f"{told}errors\n"
    assert Member.objects.get().email == "ben@example.org"
    assert Membership.objects.get().member.email == "ben@example.org"
    again = "0 brought in, 1 known already, 1 erased at their wish and not brought back, 0 with "
    assert bring_in(tmp_path, FILE) == f"{again}errors\n"
    assert "would be" in bring_in(tmp_path, FILE, dry_run=True)


def test_an_erased_row_is_named_without_its_address(tmp_path: Path) -> None:
    ErasedAddress.objects.create(address_hash=hash_erased("adele@example.net"))
    errors = io.StringIO()
    bring_in(tmp_path, FILE, stderr=errors)
    assert errors.getvalue() == "row 2: erased at their wish; not brought back\n"


def test_thousands_are_looked_up_at_once(
    tmp_path: Path, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """A batch costs as many questions as a row does."""
    rows = [f"reader{number}@example.org,2024-11-30" for number in range(500)]
    FormerAddress.objects.create(member=make_member("ada@example.org"), email="reader7@example.org")
    with django_assert_max_num_queries(50):
        bring_in(tmp_path, "email,since\n" + "\n".join(rows) + "\n")
    assert Membership.objects.count() == 500
    assert Member.objects.count() == 500
