"""How much higher each method's map is inside lesions than around them, from the results of finished studies.

Run by hand from the folder that holds `results`: `python benchmarks/lesion_contrast.py STUDY [STUDY ...]`. The
surroundings are the brain within `--ring` pixels of a lesion, outside it and one pixel away. Printed per method and
data set: median over scans of (mean inside) / (mean around), and in how many scans it is above 1.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import yaml
from scipy.ndimage import binary_dilation, generate_binary_structure

from brainuad.arrays import ArrayStore
from brainuad.plan_reader import read_plan
from brainuad.report_plan import study_entry
from brainuad.reporting.inputs import StudyEntry
from brainuad.reporting.volumes import choose_cases, load_dataset, load_method_volume

REPOSITORY = Path(__file__).parents[1]


def contrast(anomaly_map: np.ndarray, lesion: np.ndarray, brain: np.ndarray, ring: int) -> float:
    """Mean of a map (slice, x, y) inside the lesion over that in the brain around it; NaN where either is missing."""
    in_plane = generate_binary_structure(3, 1)
    in_plane[[0, 2]] = False
    near = binary_dilation(lesion, in_plane, iterations=1)
    around = binary_dilation(lesion, in_plane, iterations=1 + ring) & ~near & brain
    inside = lesion & brain
    if not inside.any() or not around.any():
        return float("nan")
    return float(anomaly_map[inside].mean() / max(float(anomaly_map[around].mean()), 1e-12))


def contrasts(
    study: StudyEntry, dataset: str, store: ArrayStore, ring: int
) -> Iterator[tuple[str, np.ndarray]]:
    """The contrast of every test scan with a lesion, method by method, in the first run."""
    cases = choose_cases(store, study, dataset, len(store.subjects))
    for method in study.compared_methods:
        found = []
        for case in cases:
            shown = load_method_volume(study, method.name, 0, case, store)
            if shown is not None:
                volume = store.volume(case.subject)
                found.append(contrast(shown.anomaly_map, volume.lesion, volume.brain, ring))
        yield method.label, np.array(found)[np.isfinite(found)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("studies", nargs="+")
    parser.add_argument("--ring", type=int, default=5)
    options = parser.parse_args()
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    plan = read_plan({**config, "studies": options.studies}, REPOSITORY / "workflow")
    for name in options.studies:
        study = study_entry(plan, name)
        for dataset in plan.studies[name].test_datasets:
            store = load_dataset(study.dataset(dataset))
            if store is None:
                continue
            print(f"{name}, {dataset}")
            for label, found in contrasts(study, dataset, store, options.ring):
                if len(found):
                    above = int(np.sum(found > 1))
                    print(f"  {label:36} {np.median(found):8.2f}   above 1 in {above} of {len(found)} scans")


if __name__ == "__main__":
    main()
