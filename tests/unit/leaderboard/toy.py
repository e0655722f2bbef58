"""Fabricated scores of several studies under the common protocol, in the files that the workflow writes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from brainuad.leaderboard.inputs import Entrant, RankingInputs
from brainuad.leaderboard.settings import LeaderboardSettings
from brainuad.storage import write_json, write_table

QUICK = LeaderboardSettings(resamples=200, rounds=2000)
FACTORS = {"oracle": 1.0, "validation": 0.9, "healthy-fpr": 0.7, "yen": 0.6}


@dataclass(frozen=True)
class Made:
    """A study to make up: methods with their quality, and the test subjects of each data set."""

    methods: Mapping[str, float]
    tests: Mapping[str, range]
    spacing_mm: float = 2.0
    runs: int = 1
    healthy: str = "ixi"
    # What thresholds were chosen on, by protocol, such as patient:brats21; none for a protocol that is not there.
    chosen_on: Mapping[str, str] = field(
        default_factory=lambda: {"validation": "patient:own", "healthy-fpr": "healthy:ixi"}
    )
    borrowed: tuple[str, ...] = ()
    supervised: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()
    failed: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def name(dataset: str, number: int) -> str:
    """A subject's name."""
    return f"{dataset.upper()}{number:03}"


def difficulty(dataset: str, number: int) -> float:
    """What all methods have in common on a subject."""
    return float(np.random.default_rng([len(dataset), number]).random())


Row = tuple[str, str, str, str, float]


def threshold_rows(made: Made) -> list[Row]:
    """What scores say of the thresholds of a study."""
    rows: list[Row] = []
    for protocol, scans in made.chosen_on.items():
        fallback = protocol == "validation" and not scans.startswith("patient:")
        rows += [
            ("pooled", protocol, "threshold_fallback", "", float(fallback)),
            ("pooled", protocol, "threshold_scans", scans, 3.0),
            ("pooled", protocol, "threshold_borrowed", "", float(protocol in made.borrowed)),
        ]
    return rows


def write_scores(entrant: Entrant, run: int, quality: float, numbers: list[int], made: Made) -> None:
    """Scores that follow the quality of a method and the difficulty of each subject."""
    rng = np.random.default_rng([sum(map(ord, entrant.key + entrant.dataset)), run])
    rows = threshold_rows(made)
    protocols = [name for name in FACTORS if name in {"oracle", "yen", *made.chosen_on}]
    for number in numbers:
        subject = name(entrant.dataset, number)
        level = float(
            np.clip(quality * (1.2 - difficulty(entrant.dataset, number)) + 0.05 * rng.normal(), 0, 1)
        )
        rows += [(subject, "", "auprc", "", level)]
        for protocol in protocols:
            factor = FACTORS[protocol]
            rows += [(subject, protocol, "dice", "", factor * level)]
            if protocol != "oracle":
                rows += [
                    (subject, protocol, metric, "", factor * level)
                    for metric in ("lesion_recall", "lesion_f1")
                ]
    for protocol in protocols[1:]:
        rows += [
            ("pooled", protocol, "lesion_recall", size, quality) for size in ("small", "medium", "large")
        ]
        if made.healthy:
            rows += [("mean", protocol, "fpr", made.healthy, 0.05 * (1 - quality))]
    if made.healthy:
        rows += [("mean", "", "subjects", made.healthy, 4.0)]
    table = pd.DataFrame(rows, columns=["subject", "protocol", "metric", "stratum", "value"])
    labels = {"study": entrant.study, "method": entrant.method, "run": run, "dataset": entrant.dataset}
    write_table(table.assign(**labels, threshold=0.1), entrant.scores(run))


def write_arrays(folder: Path, dataset: str, numbers: list[int], spacing_mm: float) -> None:
    """An index and a recipe; half of the lesions are small."""
    rows = [
        {
            "subject": name(dataset, number), "group": "patient", "status": "ok", "age": str(25 + 10 * (number % 4)),
            "sex": "FM"[number % 2], "site": "", "first_slice": 0, "slices": 1,
            "lesion_voxels": round((500 if number % 2 else 20_000) / spacing_mm**3),
        }
        for number in numbers
    ]  # fmt: skip
    write_table(pd.DataFrame(rows), folder / "index.tsv")
    recipe = {"name": folder.name, "settings": {}, "channels": ["flair", "t1"], "size": [8, 8]}
    write_json(recipe | {"spacing_mm": [spacing_mm] * 3}, folder / "recipe.json")


def make_study(root: Path, study: str, made: Made) -> list[Entrant]:
    """Everything that the ranking reads of one study, and its entrants."""
    entrants = []
    everybody = range(100)
    roles = pd.DataFrame(
        [
            (dataset, name(dataset, number), name(dataset, number), "test" if number in tests else "train")
            for dataset, tests in made.tests.items()
            for number in everybody
        ],
        columns=["dataset", "subject", "participant", "role"],
    )
    for dataset, tests in made.tests.items():
        arrays = root / "arrays" / dataset / study
        write_arrays(arrays, dataset, list(tests), made.spacing_mm)
        for method, quality in made.methods.items():
            entrant = Entrant(
                study=study, method=method, label=method.upper(), contest=dataset, dataset=dataset, arrays=arrays,
                runs=made.runs, model=method, training=("ixi",), supervised=method in made.supervised,
                healthy=(made.healthy,) if made.healthy else ("",), results=root,
            )  # fmt: skip
            entrants.append(entrant)
            for run in range(made.runs if method not in made.unfinished else 0):
                write_table(roles, entrant.split(run))
                numbers = [number for number in tests if number not in made.failed.get(method, ())]
                write_scores(entrant, run, quality, numbers, made)
                maps = [{"subject": name(dataset, number), "seconds": 2 * quality} for number in numbers]
                write_table(pd.DataFrame(maps, columns=["subject", "seconds"]), entrant.manifest(run))
                write_json({"training_hours": 3 * quality}, entrant.cost(run))
    return entrants


def make_inputs(root: Path, studies: Mapping[str, Made]) -> RankingInputs:
    """The files of all studies, and what the ranking is told about them."""
    entrants = [entrant for study, made in studies.items() for entrant in make_study(root, study, made)]
    return RankingInputs(tuple(entrants), {study: f"Study {study}" for study in studies})


TWO_STUDIES = {
    "alpha": Made(
        {"dae": 0.8, "ddpm": 0.6, "vae": 0.3, "unet": 0.95},
        {"brats21": range(0, 20), "mslub": range(0, 8)},
        runs=2,
        supervised=("unet",),
    ),
    "beta": Made(
        {"pddpm": 0.7, "dae": 0.75, "ae": 0.2}, {"brats21": range(10, 30)}, spacing_mm=4.0, healthy=""
    ),
}
