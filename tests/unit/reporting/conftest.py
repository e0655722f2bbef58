"""A small fabricated results folder in the pipeline's formats: two data sets, four methods, two runs."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainuad.evaluation.significance import compare_methods
from brainuad.evaluation.significance_settings import SignificanceSettings
from brainuad.reporting.inputs import DatasetEntry, MethodEntry, Provenance, ReportInputs, StudyEntry
from brainuad.reporting.settings import TableSettings
from brainuad.reporting.summary import read_scores
from brainuad.storage import write_json, write_table

AFFINE = [[-2.0, 0, 0, 0], [0, -2.0, 0, 239], [0, 0, 2.0, 0], [0, 0, 0, 1]]
# How good each fabricated method is; the last one is listed in the study but was never run.
QUALITY = {"threshold": 0.45, "dae-coarse": 0.8, "ddpm-simplex": 0.6, "dae-gaussian": 0.3}
LABELS = {"threshold": "Thresholding", "dae-coarse": "DAE (coarse)", "ddpm-simplex": "DDPM (simplex)"}
LABELS |= {"dae-gaussian": "DAE (Gaussian)", "andi-mf5": "ANDi + MF5"}
PROTOCOLS = {"oracle": 1.0, "validation": 0.92, "yen": 0.8, "healthy-fpr": 0.85}


@dataclass(frozen=True)
class Size:
    """How large the fabricated cohort is."""

    subjects: int = 6
    slices: int = 9
    pixels: int = 24
    runs: int = 2
    studies: int = 1


def _disc(size: Size, centre: tuple[float, float, float], radius: tuple[float, float, float]) -> np.ndarray:
    axes = (np.arange(size.slices), np.arange(size.pixels), np.arange(size.pixels))
    grids = np.meshgrid(*(axis / (len(axis) - 1) * 2 - 1 for axis in axes), indexing="ij")
    return sum(((g - c) / r) ** 2 for g, c, r in zip(grids, centre, radius, strict=True)) <= 1


def write_arrays(folder: Path, names: list[str], size: Size, lesions: bool) -> None:
    """Heads with ventricles and, where asked for, one lesion each that shrinks from subject to subject."""
    rng = np.random.default_rng(len(names))
    images, brains, masks, rows = [], [], [], []
    for position, name in enumerate(names):
        brain = _disc(size, (0, 0, 0), (0.95, 0.7, 0.85))
        image = 0.55 * brain + 0.12 * _disc(size, (0.1, 0, 0), (0.7, 0.5, 0.62))
        image -= 0.45 * _disc(size, (0.1, 0.14, 0), (0.4, 0.08, 0.3)) + 0.45 * _disc(
            size, (0.1, -0.14, 0), (0.4, 0.08, 0.3)
        )
        radius = 0.34 * 0.8**position
        centre = (0.2, 0.35 * (-1) ** position, -0.3)
        lesion = _disc(size, centre, (radius * 1.4, radius, radius)) & brain & lesions
        image = image + 0.3 * lesion + rng.normal(0, 0.02, image.shape) * brain
        images.append(np.stack([np.clip(image, 0, 1), np.clip(brain - image, 0, 1) * brain], axis=1))
        brains.append(brain)
        masks.append(lesion)
        rows.append(
            {
                "subject": name, "participant": name, "group": "patient" if lesions else "healthy", "age": "",
                "sex": "", "site": "", "first_slice": position * size.slices, "slices": size.slices,
                "lesion_voxels": int(lesion.sum()), "status": "ok", "reason": "",
            }
        )  # fmt: skip
    folder.mkdir(parents=True)
    np.save(folder / "images.npy", np.concatenate(images).astype(np.float16))
    np.save(folder / "brain.npy", np.concatenate(brains))
    np.save(folder / "lesion.npy", np.concatenate(masks))
    write_table(pd.DataFrame(rows), folder / "index.tsv")
    write_json({name: AFFINE for name in names}, folder / "geometry.json")
    pixels = [size.pixels, size.pixels]
    recipe = {
        "name": "demo",
        "settings": {},
        "channels": ["flair", "t1"],
        "size": pixels,
        "spacing_mm": [2, 2, 2],
    }
    write_json(recipe, folder / "recipe.json")


def write_maps(study: StudyEntry, method: str, run: int, dataset: DatasetEntry) -> None:
    """Maps that are high inside lesions, by the quality of the method; models also paint a healthy image."""
    rng = np.random.default_rng(sum(map(ord, method)) + run)
    index = pd.read_csv(dataset.arrays / "index.tsv", sep="\t")
    images, lesion = np.load(dataset.arrays / "images.npy"), np.load(dataset.arrays / "lesion.npy")
    brain = np.load(dataset.arrays / "brain.npy")
    manifest = study.manifest(method, run, dataset.name)
    folder = manifest.with_suffix("")
    folder.mkdir(parents=True)
    rows = []
    for row in index.itertuples():
        where = slice(row.first_slice, row.first_slice + row.slices)
        noise = rng.gamma(2, 0.05 * (1.1 - QUALITY[method]), lesion[where].shape)
        anomaly = (lesion[where] * 0.35 * QUALITY[method] + noise) * brain[where]
        np.save(folder / f"sub-{row.subject}_map.npy", (anomaly * 2**8).astype(np.float16).transpose(1, 2, 0))
        healthy = ""
        if method != "threshold":
            healthy = f"sub-{row.subject}_pseudohealthy.npy"
            painted = images[where] - 0.25 * lesion[where][:, None]
            np.save(folder / healthy, painted.astype(np.float16).transpose(1, 2, 3, 0))
        rows.append(
            {
                "subject": row.subject, "role": "test", "status": "ok", "reason": "", "scale_exponent": 8,
                "l1": 0.01, "image_score": 0.1, "seconds": 1.5 * QUALITY[method] * (1 + 0.1 * rng.random()),
                "map": f"sub-{row.subject}_map.npy", "pseudo_healthy": healthy,
            }
        )  # fmt: skip
    write_table(pd.DataFrame(rows), manifest)


def write_scores(study: StudyEntry, method: str, run: int, dataset: DatasetEntry) -> None:
    """Scores that follow the quality of the method and the size of the lesion, and a curve."""
    rng = np.random.default_rng(sum(map(ord, method + dataset.name)) + run)
    index = pd.read_csv(dataset.arrays / "index.tsv", sep="\t")
    rows: list[tuple[str, str, str, str, float, float]] = []
    sick = bool((index["lesion_voxels"] > 0).any())
    quality = QUALITY[method] + 0.02 * rng.normal()
    for protocol, factor in PROTOCOLS.items() if sick else ():
        values = quality * factor * (0.5 + 0.5 * index["lesion_voxels"] / index["lesion_voxels"].max())
        values = np.clip(values + 0.04 * rng.normal(size=len(values)), 0, 1)
        threshold = 0.15 * factor
        rows += [
            (s, protocol, "dice", "", v, threshold) for s, v in zip(index["subject"], values, strict=True)
        ]
        rows += [("mean", protocol, "dice", "", values.mean(), threshold)]
        rows += [("pooled", protocol, "dice", "", min(1, quality * factor), threshold)]
    if sick:
        rows += [("pooled", "", "prevalence", "", 0.05, np.nan), ("pooled", "", "auprc", "", quality, np.nan)]
        rows += [("mean", "", "auprc", "", 0.9 * quality, np.nan)]
        rows += [
            (s, "", "auprc", "", quality * (0.75 + 0.3 * rng.random()), np.nan) for s in index["subject"]
        ]
        for stratum, factor in (("small", 0.4), ("medium", 0.7), ("large", 1.05)):
            rows += [("pooled", "oracle", "dice", stratum, min(1, quality * factor), 0.1)]
        recall = np.linspace(0, 1, 60)
        precision = np.clip(0.05 + 0.95 * (1 - recall ** (0.4 + 4 * quality**2)), 0, 1)
        curve = pd.DataFrame({"recall": recall, "precision": precision, "threshold": 1 - recall})
        write_table(curve, study.curve(method, run, dataset.name))
    rows += [
        (subject, "", "l1", "", 0.03 * (1.2 - quality), np.nan) for subject in [*index["subject"], "mean"]
    ]
    table = pd.DataFrame(rows, columns=["subject", "protocol", "metric", "stratum", "value", "threshold"])
    table = table.assign(study=study.name, method=method, run=run, dataset=dataset.name)
    write_table(table, study.scores(method, run, dataset.name))


def write_quality(dataset: DatasetEntry, names: list[str]) -> None:
    """A quality table in which two further scans were excluded, and a mosaic."""
    from PIL import Image

    rows = [{"subject": name, "status": "ok", "reason": ""} for name in names]
    reason = "brain volume 312.5 ml is outside 900 to 2200 ml"
    rows += [
        {"subject": "SECRET1", "status": "excluded", "reason": f"SECRET1: {reason}"},
        {
            "subject": "SECRET2",
            "status": "excluded",
            "reason": "SECRET2: brain volume 99 ml is outside 900 to 2200 ml",
        },
        {"subject": "SECRET3", "status": "excluded", "reason": "t1 missing: /data/secret/SECRET3-T1.nii.gz"},
    ]
    assert dataset.quality is not None
    assert dataset.mosaic is not None
    write_table(pd.DataFrame(rows), dataset.quality)
    Image.fromarray((np.random.default_rng(0).random((60, 160)) * 255).astype(np.uint8)).save(dataset.mosaic)


def build_study(root: Path, name: str, size: Size) -> StudyEntry:
    """One study with everything on disk except its tables and figures."""
    datasets = tuple(
        DatasetEntry(
            dataset, root / "arrays" / dataset / name, True, "",
            root / "derivatives" / dataset / "quality.tsv", root / "derivatives" / dataset / "mosaic.png",
        )
        for dataset in ("brats21", "ixi")
    )  # fmt: skip
    methods = tuple(
        MethodEntry(method, label, model=None if method == "threshold" else method)
        for method, label in LABELS.items()
    )
    study = StudyEntry(
        name, f"Study {name}", "Somebody et al. 2023", root / name, methods, datasets, size.runs
    )
    for dataset in datasets:
        names = [f"{dataset.name.upper()}{i:03}" for i in range(size.subjects)]
        write_arrays(dataset.arrays, names, size, lesions=dataset.name == "brats21")
        write_quality(dataset, names)
        for method in QUALITY:
            for run in range(size.runs):
                write_maps(study, method, run, dataset)
                write_scores(study, method, run, dataset)
    for method in QUALITY:
        for run in range(size.runs if method != "threshold" else 0):
            cost = {"training_hours": 0.02 * QUALITY[method], "peak_memory_mb": 800.0, "device": "CPU"}
            write_json(
                cost | {"parameters": 700000, "iterations": 300, "precision": "32"}, study.cost(method, run)
            )
    _write_statistics(study)
    return study


def _write_statistics(study: StudyEntry) -> None:
    scores = read_scores(study.score_files())
    quick = SignificanceSettings(rounds=200, resamples=200)
    for dataset in study.datasets:
        write_table(compare_methods(scores, dataset.name, quick, seed=0), study.statistics(dataset.name))


def build_inputs(root: Path, size: Size) -> ReportInputs:
    """Report inputs for as many studies as `size` says."""
    studies = tuple(build_study(root, f"study{i}", size) for i in range(size.studies))
    benchmark = pd.DataFrame([{"s": 12.5, "max_rss": 812.4, "mean_load": 98.0, "cpu_time": 12.0}])
    write_table(benchmark, root / "benchmarks" / "preprocess" / "brats21" / "all.tsv")
    provenance = Provenance({"brain-uad": "0.1.0", "torch": "2.13.0"}, "0123abcd", "quick")
    quality = tuple({entry.name: entry for study in studies for entry in study.datasets}.values())
    benchmarks = {"preprocess brats21": root / "benchmarks" / "preprocess"}
    return ReportInputs(studies, provenance, quality, benchmarks, subjects=3, slices=6)


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> ReportInputs:
    """A results folder that tests only read."""
    return build_inputs(tmp_path_factory.mktemp("results"), Size())


@pytest.fixture(scope="session")
def study(inputs: ReportInputs) -> StudyEntry:
    """The only study of `inputs`."""
    return inputs.studies[0]


@pytest.fixture(scope="session")
def scores(study: StudyEntry) -> pd.DataFrame:
    """All scores of `study`."""
    return read_scores(study.score_files())


@pytest.fixture(scope="session")
def table_settings() -> Callable[..., TableSettings]:
    """Settings of a table with three rows and three columns, of which parts can be replaced."""

    def build(**changes: object) -> TableSettings:
        content: dict[str, object] = {
            "title": "Table 1. Detection_rate & friends",
            "source": "Somebody 2023, Table 1, page 5",
            "rows": [
                {"method": "threshold", "label": "Thresholding"},
                {"method": "dae-coarse", "label": "DAE"},
                {"method": "andi-mf5", "label": "ANDi"},
            ],
            "columns": [
                {"label": "AUPRC", "dataset": "brats21", "metric": "auprc", "aggregate": "pooled"},
                {"label": "⌈Dice⌉", "dataset": "brats21", "metric": "dice", "protocol": "oracle",
                 "scale": 100, "digits": 1, "aggregate": "pooled"},
                {"label": "CT", "dataset": "hospital_ct", "metric": "auprc", "unavailable": "private data"},
            ],
            "published": {
                "threshold": [0.798, None, None],
                "dae-coarse": [[0.833, 0.005], [77.3, 0.4], 0.693],
            },
        }  # fmt: skip
        return TableSettings.model_validate(content | changes)

    return build
