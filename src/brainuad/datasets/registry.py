"""Data sets by name."""

from difflib import get_close_matches

from brainuad.datasets.base import Dataset
from brainuad.datasets.bids import Bids
from brainuad.datasets.brats21 import Brats21
from brainuad.datasets.ixi import Ixi
from brainuad.datasets.mslub import Mslub
from brainuad.errors import InputError

BUILT_IN: dict[str, Dataset] = {dataset.name: dataset for dataset in (Ixi(), Brats21(), Mslub())}


def find_dataset(name: str, format: str | None = None) -> Dataset:
    """The built-in data set `name`, or with `format` "bids" a BIDS folder under that name."""
    if format == "bids":
        return Bids(name)
    if format is not None:
        raise InputError(f"config.yaml: datasets.{name}.format = '{format}' is not known; expected bids.")
    if name in BUILT_IN:
        return BUILT_IN[name]
    if name == "bids":
        return Bids()
    close = get_close_matches(name, BUILT_IN, n=1)
    hint = f" Did you mean '{close[0]}'?" if close else " For a folder of your own set `format: bids`."
    raise InputError(f"config.yaml: datasets.{name} is not one of {', '.join(BUILT_IN)}.{hint}")
