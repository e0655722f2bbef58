"""Data sets by name."""

from difflib import get_close_matches

from brainuad.datasets.atlas2 import Atlas2
from brainuad.datasets.base import Dataset
from brainuad.datasets.bids import Bids
from brainuad.datasets.brats21 import Brats21
from brainuad.datasets.cq500 import Cq500
from brainuad.datasets.fastmri import Fastmri
from brainuad.datasets.hospital_ct import HospitalCt
from brainuad.datasets.ixi import Ixi, IxiMni
from brainuad.datasets.mslub import Mslub
from brainuad.datasets.shifts import Ljubljana, Msseg
from brainuad.errors import InputError

BUILT_IN: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        Ixi(),
        Brats21(),
        Mslub(),
        Msseg(),
        Ljubljana(),
        IxiMni(),
        Atlas2(),
        Fastmri(),
        HospitalCt(),
        Cq500(),
    )
}


def find_dataset(name: str, format: str | None = None) -> Dataset:
    """The data set `name`; with `format` a folder of the user's own in the layout of a built-in one or BIDS."""
    if format == "bids":
        return Bids(name)
    wanted, key = (name, name) if format is None else (format, f"{name}.format")
    if wanted in BUILT_IN:
        return BUILT_IN[wanted]
    close = get_close_matches(wanted, [*BUILT_IN, "bids"], n=1)
    hint = f" Did you mean '{close[0]}'?" if close else " For a folder of your own set `format: bids`."
    raise InputError(
        f"config.yaml: datasets.{key}: '{wanted}' is not one of {', '.join(BUILT_IN)}, bids.{hint}"
    )
