"""Minutes and peak memory of a whole evaluation of a test set of BraTS's size, beside scikit-learn.

python benchmarks/evaluation_speed.py                  251 volumes of 128 × 128 × 155, and 62 patients and 62
                                                       healthy subjects for the thresholds
python benchmarks/evaluation_speed.py --volumes 10     fewer, with the time that 251 would take

Every protocol, a median of 5³, grids, strata and lesion-wise detection are on. scikit-learn computes only the average
precision, of a part of the same voxels.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from brainuad.arrays import ArrayStore, to_volume_axes
from brainuad.evaluation.evaluate import evaluate_method
from brainuad.evaluation.map_sets import MapSet
from brainuad.evaluation.settings import EvaluationSettings
from brainuad.storage import write_json, write_table

PIXELS, SLICES = 128, 155
DISTINCT = 5  # patients that are made, and a healthy subject; the others are the same again
FULL = 251
SETTINGS = EvaluationSettings.model_validate(
    {
        "protocols": ["oracle", "validation", "validation-bisection", "healthy-fpr", "yen"],
        "postprocessing": [
            {"step": "mask_brain", "erosion": 3},
            {"step": "median", "size": 5},
            {"step": "remove_components", "at_most": 7},
        ],
        "threshold_grid": {"start": 0.01, "stop": 0.3, "step": 0.001, "normalised": True},
        "subject_strata": [{"name": "small", "up_to": 2000}, {"name": "large", "above": 2000}],
        "lesion_strata": [{"name": "small", "up_to": 100}, {"name": "large", "above": 100}],
        "attributes": ["age", "sex", "site"],
    }
)


def make_volumes(folder: Path) -> None:
    """Writes brains that fill about a quarter of the slices, lesions in them, and maps that are higher there."""
    folder.mkdir()
    axes = np.ogrid[-1 : 1 : SLICES * 1j, -1 : 1 : PIXELS * 1j, -1 : 1 : PIXELS * 1j]
    brain = sum((axis / radius) ** 2 for axis, radius in zip(axes, (0.85, 0.72, 0.88), strict=True)) < 1
    lesions = np.zeros((DISTINCT + 1, *brain.shape), dtype=bool)
    for number, lesion in enumerate(lesions):
        generator = np.random.default_rng(number)
        for size in (6 + 4 * number, 5, 4, 3) if number < DISTINCT else ():
            z, x, y = (int(generator.integers(limit // 3, limit // 2)) for limit in brain.shape)
            lesion[z : z + size, x : x + size, y : y + size] = True
        noise = generator.standard_exponential(brain.shape, dtype=np.float32)
        scores = (noise * (0.05 + 0.1 * lesion) * brain * 256).astype(np.float16)
        np.save(folder / f"map_{number}.npy", scores.transpose(1, 2, 0))
    np.save(folder / "lesion.npy", lesions.reshape(-1, PIXELS, PIXELS))
    np.save(folder / "brain.npy", np.tile(brain, (DISTINCT + 1, 1, 1)))
    recipe = {"name": folder.name, "channels": ["flair"], "size": [PIXELS, PIXELS], "spacing_mm": [1, 1, 1]}
    write_json({**recipe, "settings": {}}, folder / "recipe.json")


def make_tables(folder: Path, test: int, validation: int) -> tuple[MapSet, pd.DataFrame]:
    """The maps and the split of so many patients, and of as many healthy subjects as validation patients."""
    numbers = np.array([*np.arange(test + validation) % DISTINCT, *[DISTINCT] * validation])
    roles = ["test"] * test + ["validation"] * 2 * validation
    subjects = [f"s{position}" for position in range(len(numbers))]
    voxels = np.load(folder / "lesion.npy").reshape(DISTINCT + 1, -1).sum(axis=1)
    index = {"subject": subjects, "group": np.where(numbers < DISTINCT, "patient", "healthy"), "status": "ok"}
    index |= {"first_slice": SLICES * numbers, "slices": SLICES, "lesion_voxels": voxels[numbers]}
    index |= {"age": 20 + np.arange(len(numbers)) % 70, "sex": "F", "site": "one"}
    write_table(pd.DataFrame(index), folder / "index.tsv")
    manifest = {"subject": subjects, "role": roles, "status": "ok", "reason": "", "scale_exponent": 8}
    manifest |= {"image_score": 0.1, "seconds": 1, "map": [f"map_{n}.npy" for n in numbers]}
    write_table(pd.DataFrame(manifest), folder.with_suffix(".tsv"))
    split = pd.DataFrame({"dataset": folder.name, "subject": subjects, "role": roles})
    return MapSet.open(folder.with_suffix(".tsv"), ArrayStore(folder)), split


def peak_mb() -> float:
    """The highest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def sklearn_seconds(folder: Path, volumes: int) -> float:
    """Seconds per volume of scikit-learn's average precision of some volumes together."""
    from sklearn.metrics import average_precision_score

    lesions = np.load(folder / "lesion.npy").reshape(-1, SLICES, PIXELS, PIXELS)
    truth = np.concatenate([to_volume_axes(lesions[n]).ravel() for n in range(volumes)])
    scores = np.concatenate([np.load(folder / f"map_{n}.npy").ravel() for n in range(volumes)])
    started = time.perf_counter()
    average_precision_score(truth, scores.astype(np.float32))
    return (time.perf_counter() - started) / volumes


def main() -> None:
    """Prints minutes, peak memory and the ratio to scikit-learn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--volumes", type=int, default=FULL)
    parser.add_argument("--sklearn-volumes", type=int, default=3, choices=range(1, DISTINCT + 1))
    arguments = parser.parse_args()
    validation = max(1, round(arguments.volumes * 62 / FULL))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "brats21"
        make_volumes(folder)
        maps, split = make_tables(folder, arguments.volumes, validation)
        before = peak_mb()
        started = time.perf_counter()
        evaluation = evaluate_method(maps, split, [], SETTINGS, {"study": "s", "method": "m", "run": 0})
        seconds, peak = time.perf_counter() - started, peak_mb()
        reference = sklearn_seconds(folder, arguments.sklearn_volumes)
    each = seconds / arguments.volumes
    print(f"{arguments.volumes} volumes and 2 x {validation} for thresholds: {seconds / 60:.1f} min")
    post = evaluation.seconds["seconds_postprocessing"].mean()
    print(f"{each:.2f} s a test volume, of which post-processing {post:.2f} s a map")
    print(f"{FULL} volumes: {each * FULL / 60:.1f} min; {len(evaluation.scores)} rows")
    print(f"peak memory {peak:.0f} MB ({before:.0f} MB before)")
    print(f"scikit-learn, average precision alone: {reference:.2f} s a volume")
    print(f"ratio of everything to that: {each / reference:.1f}")


if __name__ == "__main__":
    main()
