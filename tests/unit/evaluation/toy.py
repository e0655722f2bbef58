"""Small planted data sets, in the files of a run, and what stands in their score tables."""

import nibabel
import numpy as np
import pandas as pd

from brainuad.arrays import ArrayStore
from brainuad.evaluation.evaluate import evaluate_method
from brainuad.evaluation.map_sets import MapSet
from brainuad.evaluation.settings import EvaluationSettings
from brainuad.preprocessing.derivatives import brain_mask_path, derivative_path, lesion_mask_path
from brainuad.preprocessing.pack import pack_dataset
from brainuad.preprocessing.recipes import Recipe
from brainuad.storage import read_table, write_table

SHAPE = (12, 10, 8)
LABELS = {"study": "s", "method": "m", "run": 0}
EXPONENT = 3
ALL = ("oracle", "validation", "validation-bisection", "healthy-fpr", "yen")
PATIENTS = {"v1": "validation", "v2": "validation", "p1": "test", "p2": "test", "p3": "test"}
HEALTHY = {"h1": "validation", "h2": "validation", "h3": "test", "h4": "test"}


def planted(subject, with_lesion):
    """A brain, a lesion block and a map (true units) that is higher in the lesion."""
    rng = np.random.default_rng(sum(map(ord, subject)))
    brain = np.zeros(SHAPE, dtype=bool)
    brain[1:-1, 1:-1] = True
    lesion = np.zeros(SHAPE, dtype=bool)
    if with_lesion:
        x, y, z = rng.integers(2, 5, 3)
        lesion[x : x + 4, y : y + 3, z : z + 3] = True
    scores = (rng.exponential(size=SHAPE) * 0.2 + 0.6 * lesion) * brain
    return brain, lesion, scores.astype(np.float16)


def write_dataset(folder, dataset, roles, without_lesion=(), group="patient"):
    """Packed arrays and maps of a data set, through the same files as in a run."""
    quality, manifest = [], []
    for subject, role in roles.items():
        brain, lesion, scores = planted(subject, group == "patient" and subject not in without_lesion)
        derivatives = folder / "derivatives" / dataset
        for values, path in (
            (brain, derivative_path(derivatives, subject, "t2")),
            (brain, brain_mask_path(derivatives, subject)),
            (lesion, lesion_mask_path(derivatives, subject)),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            nibabel.save(nibabel.Nifti1Image(values.astype(np.float32), np.eye(4)), path)
        quality.append(
            {"subject": subject, "participant": subject, "group": group, "age": "", "status": "ok"}
        )
        maps = folder / "maps" / dataset
        maps.mkdir(parents=True, exist_ok=True)
        np.save(maps / f"sub-{subject}_map.npy", scores * np.float16(2**EXPONENT))
        manifest.append(
            {
                "subject": subject,
                "role": role,
                "status": "ok",
                "reason": "",
                "scale_exponent": EXPONENT,
                "l1": 0.25,
                "image_score": float(scores.mean()),
                "map": f"sub-{subject}_map.npy",
            }
        )
    arrays = folder / "arrays" / dataset
    pack_dataset(dataset, derivatives, pd.DataFrame(quality), "t2", Recipe(modalities=("t2",)), arrays)
    write_table(pd.DataFrame(manifest), folder / "maps" / f"{dataset}.tsv")
    return open_maps(folder, dataset)


def open_maps(folder, dataset):
    return MapSet.open(folder / "maps" / f"{dataset}.tsv", ArrayStore(folder / "arrays" / dataset))


def split_of(**roles_of):
    rows = [
        {"dataset": dataset, "subject": subject, "participant": subject, "role": role}
        for dataset, roles in roles_of.items()
        for subject, role in roles.items()
    ]
    return pd.DataFrame(rows)


SPLIT = split_of(toy=PATIENTS, well=HEALTHY)


def evaluate(folder, split=SPLIT, healthy=True, dataset="toy", **settings):
    settings = EvaluationSettings(**{"protocols": ALL, **settings})
    others = [open_maps(folder, "well")] if healthy else []
    evaluation = evaluate_method(open_maps(folder, dataset), split, others, settings, LABELS)
    return evaluation.scores, evaluation.curve


def value(scores, metric, subject="pooled", protocol="", stratum="", column="value"):
    rows = scores[
        (scores["metric"] == metric)
        & (scores["subject"] == subject)
        & (scores["protocol"] == protocol)
        & (scores["stratum"] == stratum)
    ]
    assert len(rows) == 1, f"{len(rows)} rows"
    return rows[column].item()


def plain(subjects):
    cases = [planted(subject, with_lesion=True) for subject in subjects]
    return np.stack([c[2] for c in cases]).astype(np.float64), np.stack([c[1] for c in cases])


def dice_of(predicted, truth):
    return 2 * (predicted & truth).sum() / (predicted.sum() + truth.sum())


TEST = ("p1", "p2", "p3")


def change_index(folder, dataset, subject, **columns):
    """Writes other values into a subject's row of the index of arrays."""
    _change(folder / "arrays" / dataset / "index.tsv", subject, columns)


def change_manifest(folder, dataset, subject, **columns):
    """Writes other values into a subject's row of the manifest of maps."""
    _change(folder / "maps" / f"{dataset}.tsv", subject, columns)


def _change(path, subject, columns):
    table = read_table(path)
    for column, content in columns.items():
        if column not in table:
            table[column] = ""
        table.loc[table["subject"] == subject, column] = str(content)
    write_table(table, path)


def replace(folder, dataset, subject, scores=None, lesion=None):
    """Writes another map (true units) or another lesion mask of a subject, both (x, y, z)."""
    if scores is not None:
        stored = (scores * 2**EXPONENT).astype(np.float16)
        np.save(folder / "maps" / dataset / f"sub-{subject}_map.npy", stored)
        change_manifest(folder, dataset, subject, image_score=float(np.mean(scores)))
    if lesion is not None:
        path = folder / "arrays" / dataset / "lesion.npy"
        masks = np.load(path)
        where = ArrayStore(folder / "arrays" / dataset).slices(subject)
        masks[where] = lesion.transpose(2, 0, 1)
        np.save(path, masks)
        change_index(folder, dataset, subject, lesion_voxels=int(lesion.sum()))
