"""Memory of a training on arrays larger than the machine's memory, and the share of time spent waiting for data.

Run by hand: `python benchmarks/large_arrays.py [--gigabytes 32] [--steps 300] [--network paper] [--loader-workers 4]`.
The arrays are a sparse file, so the disk holds little of it; each batch is read from random places of the whole file.
The reference is the same training on arrays of one hundredth of the size. The small network's step takes about as long
as reading its batch, which is the hardest case; the paper's is the one of Kascenas 2023.
"""

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
from numpy.lib.format import open_memmap

from brainuad.storage import read_json, write_json, write_table
from brainuad.training.train import Machine, ModelRequest, TrainingFiles, train_model

CHANNELS, SIZE, SLICES = ("flair", "t1", "t1ce", "t2"), (128, 128), 140
# Widths and batch of the network that is trained.
NETWORKS = {
    "small": {"widths": [8, 16], "batch_size": 64},
    "paper": {"widths": [64, 128, 256, 512], "batch_size": 16},
}
BYTES_PER_SUBJECT = SLICES * len(CHANNELS) * SIZE[0] * SIZE[1] * 2


def write_sparse_arrays(folder: Path, subjects: int) -> None:
    """A packed data set of many subjects whose images are zero, without writing them."""
    folder.mkdir(parents=True)
    total = subjects * SLICES
    open_memmap(folder / "images.npy", mode="w+", dtype=np.float16, shape=(total, len(CHANNELS), *SIZE))
    for name in ("brain", "lesion"):
        open_memmap(folder / f"{name}.npy", mode="w+", dtype=bool, shape=(total, *SIZE))
    names = [f"s{number}" for number in range(subjects)]
    index = pd.DataFrame({"subject": names, "participant": names, "group": "healthy", "status": "ok"})
    index = index.assign(first_slice=np.arange(subjects) * SLICES, slices=SLICES, lesion_voxels=0, reason="")
    write_table(index, folder / "index.tsv")
    recipe = {"name": folder.name, "channels": list(CHANNELS), "size": list(SIZE), "settings": {}}
    write_json(recipe, folder / "recipe.json")


def train_on(folder: Path, subjects: int, steps: int, network: str, workers: int) -> tuple[float, float]:
    """Gigabytes of memory that only this process holds, and the share of time spent waiting for data."""
    arrays = folder / "large" / "benchmark"
    write_sparse_arrays(arrays, subjects)
    roles = ["validation"] + ["train"] * (subjects - 1)
    names = [f"s{number}" for number in range(subjects)]
    split = pd.DataFrame({"dataset": "large", "subject": names, "participant": names, "role": roles})
    write_table(split, folder / "split.tsv")
    chosen = NETWORKS[network]
    training = {"iterations": steps, "validate_every": steps, "validation_batches": 1}
    training |= {"batch_size": chosen["batch_size"]}
    settings = {
        "network": {"widths": chosen["widths"]},
        "noise": {"kind": "coarse", "scale": 0.2},
        "training": training,
    }
    outputs = [folder / name for name in ("model.ckpt", "log.tsv", "cost.json")]
    files = TrainingFiles(folder / "split.tsv", (arrays,), folder / "state", *outputs)
    machine = Machine("cpu", loader_workers=workers)
    train_model(ModelRequest("dae", settings, "all", seed=0, precision="32-true"), files, machine)
    memory = psutil.Process(os.getpid()).memory_full_info()
    return memory.uss / 1e9, read_json(files.cost)["waiting_for_data_share"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=1.3 * psutil.virtual_memory().total / 1e9)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--network", choices=NETWORKS, default="small")
    parser.add_argument("--loader-workers", type=int, default=0)
    options = parser.parse_args()
    many = max(4, round(options.gigabytes * 1e9 / BYTES_PER_SUBJECT))
    for label, subjects in (("a hundredth", max(4, many // 100)), ("whole", many)):
        with tempfile.TemporaryDirectory() as folder:
            memory, waiting = train_on(
                Path(folder), subjects, options.steps, options.network, options.loader_workers
            )
        size = subjects * BYTES_PER_SUBJECT / 1e9
        print(
            f"{label:12} {size:6.1f} GB of arrays: {memory:.2f} GB of memory, {waiting:.1%} of the time waiting"
        )


if __name__ == "__main__":
    main()
