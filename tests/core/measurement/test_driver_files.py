"""Listings of a driver's files, and what differs between two of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_weekops.core.measurement.driver_change import driver_changes, identity_changes, listed
from pytest_weekops.core.measurement.driver_files import (
    DriverFile,
    DriverListing,
    changed_files,
    listing_digest,
    merged,
    replaced_files,
)
from pytest_weekops.core.measurement.records import HostKernel
from tests.support.synthetic import make_identity

LLVM = DriverFile(path="/usr/lib/libLLVM.so.1", sha256="a" * 64)
CLC = DriverFile(path="/usr/lib/clc/spirv64.spv", sha256="b" * 64, seen="beside")
FILES = st.lists(
    st.builds(
        DriverFile, path=st.sampled_from(["/a/x", "/a/y", "/b/x", "/b/z"]), sha256=st.sampled_from(["1", "2", ""])
    ),
    unique_by=lambda file: file.path,
)
ME = make_identity("pocl").model_copy(
    update={"kernel": HostKernel(release="6.1", drivers={"amdgpu": ""}, firmware={"vbios": "1"})}
)


def other(file: DriverFile, **changes: str) -> DriverFile:
    """The file, with other contents unless told."""
    return file.model_copy(update={"sha256": "c" * 64, **changes})


def test_a_change_names_the_file_and_both_hashes() -> None:
    """Replaced, gone and new read differently; a file that moved shows both places."""
    before = [LLVM, CLC, DriverFile(path="/usr/lib/libz3.so", sha256="d" * 64)]
    after = [other(LLVM), other(CLC, path="/opt/clc/spirv64.spv"), DriverFile(path="/usr/lib/libx.so", sha256="e" * 64)]
    assert list(map(str, changed_files(before, after))) == [
        "libLLVM.so.1 aaaaaaaaaaaa became cccccccccccc",
        "/usr/lib/clc/spirv64.spv bbbbbbbbbbbb became /opt/clc/spirv64.spv cccccccccccc",
        "libz3.so is gone",
        "libx.so is new",
    ]
    assert [change.is_replaced for change in changed_files(before, after)] == [True, True, False, False]


def test_the_same_file_elsewhere_is_no_change() -> None:
    """A library that another distribution keeps in another directory is the same library."""
    assert changed_files([LLVM], [LLVM.model_copy(update={"path": "/opt/libLLVM.so.1"})]) == ()


@given(FILES, FILES)
def test_changes_and_digests_agree(before: list[DriverFile], after: list[DriverFile]) -> None:
    """Nothing changed where the digests are equal; what was replaced has changed; a merge knows every file."""
    if listing_digest(before) == listing_digest(after):
        assert changed_files(before, after) == ()
    assert set(replaced_files(before, after)) <= set(changed_files(before, after))
    both = merged(before, after)
    assert {file.path for file in both} == {file.path for file in [*before, *after]}
    assert replaced_files(both, after) == ()
    assert listing_digest(both) == listing_digest(reversed(both))
    assert changed_files(before, before) == ()


def test_a_digest_holds_paths_and_contents() -> None:
    """And not how a file was found."""
    listing = DriverListing(platform="pocl", files=(LLVM, CLC))
    assert listing.digest == listing_digest([CLC, LLVM.model_copy(update={"seen": "open"})])
    assert listing.digest != listing_digest([LLVM, other(CLC)])
    assert listing.digest != listing_digest([LLVM])


def test_what_lies_below_a_driver_is_compared_too() -> None:
    """Kernel, kernel driver, firmware, variables and library, each by name; what is absent reads as absent."""
    kernel = HostKernel(release="6.2", drivers={"amdgpu": "7"}, firmware={})
    them = ME.model_copy(
        update={"kernel": kernel, "library_sha256": "1" * 64, "environment": {"LP_CL": "1", "OCL_ICD_VENDORS": "/x"}}
    )
    assert identity_changes(ME, them) == (
        "library libpocl.so 000000000000 became libpocl.so 111111111111",
        "variable LP_CL absent became 1",
        "kernel release 6.1 became 6.2",
        "kernel driver amdgpu untold became 7",
        "firmware vbios 1 became absent",
    )
    assert identity_changes(ME, ME) == identity_changes(None, ME) == ()


def test_older_records_are_not_called_different() -> None:
    """What a version did not look at is no difference; amounts of memory belong to the moment."""
    older = make_identity("pocl")
    newer = ME.model_copy(update={"answered_by": "/usr/lib/libother.so", "global_mem_bytes": 1})
    assert identity_changes(older, newer) == ()
    assert driver_changes(older, newer, (), (LLVM,)) == ()


def test_with_listings_the_library_is_named_once() -> None:
    """By its file."""
    library = DriverFile(path="/usr/lib/libpocl.so", sha256="0" * 64)
    them = ME.model_copy(update={"library_sha256": "c" * 64})
    assert driver_changes(ME, them, (library,), (other(library),)) == ("libpocl.so 000000000000 became cccccccccccc",)


def test_long_lists_end_in_a_count() -> None:
    """A package update changes dozens of files."""
    assert listed(["a", "b", "c"], shown=2) == "a; b and 1 more"
