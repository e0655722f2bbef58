"""Names of simulated subjects."""

import re
import subprocess
import sys

import pytest

from brainuad.errors import InputError
from brainuad.phantom.names import phantom_subjects

PUBLISHED = {"ixi": r"IXI\d{3}", "brats21": r"BraTS2021\d{5}", "mslub": r"patient\d{2}"}


def test_importing_names_loads_no_numerical_library():
    heavy = ("numpy", "scipy", "nibabel", "pandas", "torch", "numba")
    code = f"import sys, brainuad.phantom.names; print([name for name in {heavy} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"


@pytest.mark.parametrize(("dataset", "pattern"), PUBLISHED.items())
def test_names_look_as_published(dataset, pattern):
    assert all(re.fullmatch(pattern, name) for name in phantom_subjects(dataset, 30, 0))


@pytest.mark.parametrize("dataset", PUBLISHED)
def test_a_larger_count_only_appends(dataset):
    assert phantom_subjects(dataset, 12, 3)[:5] == phantom_subjects(dataset, 5, 3)


@pytest.mark.parametrize("dataset", PUBLISHED)
def test_names_are_unique_and_sorted(dataset):
    names = phantom_subjects(dataset, 60, 1)
    assert names == sorted(set(names))


def test_published_numbers_have_gaps():
    numbers = [int(name[3:]) for name in phantom_subjects("ixi", 50, 0)]
    assert numbers[0] == 2
    assert numbers[-1] > 2 + 49


def test_unknown_dataset_lists_the_known_ones():
    with pytest.raises(InputError, match=r"brats21.*ixi.*mslub"):
        phantom_subjects("ixy", 3, 0)
