"""Imports of members under a former address or an erased one."""

import io
from pathlib import Path

import pytest
from pytest_django import DjangoAssertNumQueries

from campaigns import members, progress
from campaigns.models import Campaign, ErasedAddress, FormerAddress, Member, Membership, Tally
from campaigns.models.erasure import hash_erased
from tests.support.commands import import_file
from tests.support.factories import make_campaign, make_member, make_payment

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def birthday() -> Campaign:
    return make_campaign()


@pytest.fixture
def ada() -> Member:
    """A member whose former address is still in the file."""
    member = make_member("ada@example.org")
    FormerAddress.objects.create(member=member, email="adele@example.net")
    return member


FILE = "email,since,name\nAdele@Example.net,2024-11-30,Ada Reader\nben@example.org,2024-11-30,Ben\n"


def test_a_membership_under_a_former_address_goes_to_its_member(
    tmp_path: Path, ada: Member
) -> None:
    assert (
        import_file(tmp_path, FILE) == "2 imported, 0 already on file, 0 errors; 0 rows skipped\n"
    )
    assert Member.objects.count() == 2
    membership = ada.memberships.get()
    assert membership.import_key == "adele@example.net 2024-11-30"
    ada.refresh_from_db()
    assert (ada.email, ada.name) == ("ada@example.org", "Ada Reader")
    assert (
        import_file(tmp_path, FILE) == "0 imported, 2 already on file, 0 errors; 0 rows skipped\n"
    )


def test_the_current_owner_of_an_address_comes_before_the_former_one(
    tmp_path: Path, ada: Member
) -> None:
    adele = make_member()
    Member.objects.filter(pk=adele.pk).update(email="adele@example.net")
    import_file(tmp_path, FILE)
    assert adele.memberships.count() == 1
    assert ada.memberships.count() == 0


def test_both_addresses_of_one_person_can_be_in_one_file(tmp_path: Path, ada: Member) -> None:
    import_file(tmp_path, FILE + "ada@example.org,2020-01-01,Another Name\n")
    assert ada.memberships.count() == 2
    assert Member.objects.get(pk=ada.pk).name in {"Ada Reader", "Another Name"}


def test_an_imported_membership_is_still_on_file_after_a_merge(
    tmp_path: Path, birthday: Campaign
) -> None:
    ada, adele = make_member("ada@example.org"), make_member("adele@example.net")
    make_payment(ada, birthday, "2026-11-10 12:00")
    progress.tally_members([ada])
    assert Tally.objects.count() == 1
    import_file(tmp_path, FILE)
    assert Tally.objects.count() == 1
    members.merge_members(kept=ada, gone=adele)
    assert not Tally.objects.exists(), "she was a member before"
    assert (
        import_file(tmp_path, FILE) == "0 imported, 2 already on file, 0 errors; 0 rows skipped\n"
    )
    assert ada.memberships.filter(source="imported").count() == 1


def test_an_import_under_a_former_address_ends_the_count_of_its_member(
    tmp_path: Path, birthday: Campaign, ada: Member
) -> None:
    make_payment(ada, birthday, "2026-11-10 12:00")
    progress.tally_members([ada])
    import_file(tmp_path, FILE)
    assert not Tally.objects.exists()


def test_an_erased_person_is_not_imported_again(tmp_path: Path) -> None:
    ErasedAddress.objects.create(address_hash=hash_erased("adele@example.net"))
    first = "1 imported, 0 already on file, 0 errors, 1 erased on request; 1 row skipped\n"
    assert import_file(tmp_path, FILE) == first
    assert Member.objects.get().email == "ben@example.org"
    assert Membership.objects.get().member.email == "ben@example.org"
    second = "0 imported, 1 already on file, 0 errors, 1 erased on request; 1 row skipped\n"
    assert import_file(tmp_path, FILE) == second
    assert "would be" in import_file(tmp_path, FILE, dry_run=True)


def test_the_row_of_an_erased_person_is_reported_without_the_address(tmp_path: Path) -> None:
    ErasedAddress.objects.create(address_hash=hash_erased("adele@example.net"))
    errors = io.StringIO()
    import_file(tmp_path, FILE, stderr=errors)
    assert errors.getvalue() == "row 2: skipped because the person's data was erased on request\n"


def test_addresses_are_looked_up_in_batches(
    tmp_path: Path, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """A batch costs as many queries as a single row."""
    rows = [f"reader{number}@example.org,2024-11-30" for number in range(500)]
    FormerAddress.objects.create(member=make_member("ada@example.org"), email="reader7@example.org")
    with django_assert_max_num_queries(50):
        import_file(tmp_path, "email,since\n" + "\n".join(rows) + "\n")
    assert Membership.objects.count() == 500
    assert Member.objects.count() == 500
