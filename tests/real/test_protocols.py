"""Every lesion protocol on real lesions, scored by the brightness of FLAIR or T2, against plain computations.

Two patients with multiple sclerosis and one with a stroke; every second voxel along each axis.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest
from scipy import ndimage
from skimage.filters import threshold_yen
from sklearn.metrics import average_precision_score, precision_recall_curve

from brainuad.arrays import ArrayStore
from brainuad.evaluation.evaluate import evaluate_method
from brainuad.evaluation.map_sets import MapSet
from brainuad.evaluation.settings import EvaluationSettings
from brainuad.storage import write_json, write_table
from tests.workflow.conftest import REPOSITORY

DATA = REPOSITORY.parent / "shared" / "data"
MSLUB, STROKE = DATA / "mslub", DATA / "stroke_t2"
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not (MSLUB.is_dir() and STROKE.is_dir()), reason=f"no real scans in {DATA.parent.name}/{DATA.name}"
    ),
]
FILES = {
    "patient19": (
        MSLUB / "patient19/patient19_FLAIR.nii.gz",
        MSLUB / "patient19/patient19_consensus_gt.nii.gz",
    ),
    "patient26": (
        MSLUB / "patient26/patient26_FLAIR.nii.gz",
        MSLUB / "patient26/patient26_consensus_gt.nii.gz",
    ),
    "stroke": (STROKE / "T2.nii.gz", STROKE / "lesionT2.nii.gz"),
}
DATASETS = {"mslub": ("patient19", "patient26"), "stroke": ("stroke",)}
EXPONENT = 8
OVERLAP = 0.1
NEIGHBOURS = np.ones((3, 3, 3))
STRATA = ({"name": "small", "above": 1, "up_to": 2000}, {"name": "large", "above": 2000})
Value = Callable[..., float]


@dataclass(frozen=True)
class RealScan:
    """A stored map, float16, and the lesion, both (x, y, z)."""

    scores: np.ndarray
    lesion: np.ndarray


def volume(path: Path) -> np.ndarray:
    return np.asarray(nibabel.load(path).dataobj, dtype=np.float32)[::2, ::2, ::2]


@pytest.fixture(scope="module")
def scans() -> dict[str, RealScan]:
    """Intensities of which 1 is the 99th percentile of the tissue."""
    found = {}
    for name, (image, mask) in FILES.items():
        intensity = np.maximum(volume(image), 0)
        scaled = intensity / np.percentile(intensity[intensity > 0], 99)
        found[name] = RealScan((scaled * 2**EXPONENT).astype(np.float16), volume(mask) > 0)
    return found


def write_maps(folder: Path, dataset: str, roles: dict[str, str], scans: dict[str, RealScan]) -> MapSet:
    """The files of a run, with the intensities in the place of a method's maps."""
    arrays, maps = folder / "arrays", folder / "maps" / dataset
    arrays.mkdir(parents=True)
    maps.mkdir(parents=True)
    index, manifest, first = [], [], 0
    for subject, role in roles.items():
        scan = scans[subject]
        slices = scan.lesion.shape[2]
        index.append((subject, "patient", "ok", first, slices, int(scan.lesion.sum())))
        manifest.append((subject, role, "ok", "", EXPONENT, float(scan.scores.mean()), f"{subject}.npy"))
        np.save(maps / f"{subject}.npy", scan.scores)
        first += slices
    for name, masks in (("lesion", lambda s: s.lesion), ("brain", lambda s: s.scores > 0)):
        np.save(arrays / f"{name}.npy", np.concatenate([masks(scans[s]).transpose(2, 0, 1) for s in roles]))
    size = list(scans[next(iter(roles))].lesion.shape[:2])
    write_json({"channels": ["flair"], "size": size}, arrays / "recipe.json")
    columns = ["subject", "group", "status", "first_slice", "slices", "lesion_voxels"]
    write_table(pd.DataFrame(index, columns=columns), arrays / "index.tsv")
    columns = ["subject", "role", "status", "reason", "scale_exponent", "image_score", "map"]
    write_table(pd.DataFrame(manifest, columns=columns), maps.with_suffix(".tsv"))
    return MapSet.open(maps.with_suffix(".tsv"), ArrayStore(arrays))


def value_of(dataset: str, roles: dict[str, str], scans: dict[str, RealScan], folder: Path) -> Value:
    """The evaluation's value of a metric."""
    settings = EvaluationSettings.model_validate(
        {
            "protocols": ("oracle", "validation", "yen"),
            "subject_strata": STRATA,
            "lesion_strata": ({"name": "tiny", "up_to": 8},),
            "lesion_overlap": OVERLAP,
        }
    )
    split = pd.DataFrame({"dataset": dataset, "subject": list(roles), "role": list(roles.values())})
    maps = write_maps(folder, dataset, roles, scans)
    scores = evaluate_method(maps, split, [], settings, {"study": "real", "method": "m", "run": 0}).scores
    keyed = scores.set_index(["metric", "subject", "protocol", "stratum"])["value"]

    def value(metric: str, subject: str = "pooled", protocol: str = "", stratum: str = "") -> float:
        return float(keyed.loc[(metric, subject, protocol, stratum)])

    return value


@pytest.fixture(scope="module", params=DATASETS)
def tested(
    request: pytest.FixtureRequest, scans: dict[str, RealScan], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Value, dict[str, RealScan]]:
    """The values of a data set whose patients are all test patients, and its scans."""
    subjects = DATASETS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    value = value_of(request.param, dict.fromkeys(subjects, "test"), scans, folder)
    return value, {subject: scans[subject] for subject in subjects}


def flat(scans: dict[str, RealScan]) -> tuple[np.ndarray, np.ndarray]:
    """Truth and scores of all voxels."""
    truth = np.concatenate([scan.lesion.ravel() for scan in scans.values()])
    return truth, np.concatenate([scan.scores.ravel() for scan in scans.values()]).astype(np.float64)


def best_dice(scans: dict[str, RealScan]) -> tuple[float, float]:
    """The highest Dice over all thresholds and that threshold, from scikit-learn's curve."""
    precision, recall, thresholds = precision_recall_curve(*flat(scans))
    dice = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return float(dice.max()), float(thresholds[np.argmax(dice)])


def dice_of(predicted: np.ndarray, truth: np.ndarray) -> float:
    return float(2 * (predicted & truth).sum() / (predicted.sum() + truth.sum()))


def yen_mask(scan: RealScan) -> np.ndarray:
    scores = scan.scores.astype(np.float32)
    cross = ndimage.generate_binary_structure(3, 1)
    return ndimage.binary_dilation(scores > threshold_yen(scores), cross)


def lesions_found(predicted: np.ndarray, truth: np.ndarray) -> tuple[list[int], list[bool], int, int]:
    """Size and detection of every lesion, components that touch a lesion, and the others."""
    lesions, count = ndimage.label(truth, NEIGHBOURS)
    labels = np.arange(1, count + 1)
    covered = ndimage.mean(predicted, lesions, labels)
    components, marked = ndimage.label(predicted, NEIGHBOURS)
    touching = len(set(np.unique(components[truth])) - {0})
    sizes = np.bincount(lesions.ravel())[1:]
    return sizes.tolist(), (np.asarray(covered) > OVERLAP).tolist(), touching, marked - touching


def test_average_precision_is_that_of_scikit_learn(tested: tuple[Value, dict[str, RealScan]]) -> None:
    value, scans = tested
    assert value("auprc") == pytest.approx(average_precision_score(*flat(scans)))
    for subject, scan in scans.items():
        assert value("auprc", subject) == pytest.approx(average_precision_score(*flat({subject: scan})))
        assert value("auprc", subject) > 2 * value("prevalence", subject)  # lesions are bright


def test_the_best_dice_is_the_top_of_the_curve(tested: tuple[Value, dict[str, RealScan]]) -> None:
    value, scans = tested
    assert value("dice", protocol="oracle") == pytest.approx(best_dice(scans)[0])
    each = [best_dice({subject: scan})[0] for subject, scan in scans.items()]
    assert value("dice", "mean", "oracle") == pytest.approx(np.mean(each))


def test_each_stratum_of_sizes_has_its_own_best_dice(tested: tuple[Value, dict[str, RealScan]]) -> None:
    value, scans = tested
    for name, chosen in (("small", lambda n: 1 < n <= 2000), ("large", lambda n: n > 2000)):
        members = {subject: scan for subject, scan in scans.items() if chosen(scan.lesion.sum())}
        if members:
            assert value("subjects_with_lesion", stratum=name) == len(members)
            assert value("dice", protocol="oracle", stratum=name) == pytest.approx(best_dice(members)[0])


def test_yen_marks_what_scikit_image_and_scipy_mark(tested: tuple[Value, dict[str, RealScan]]) -> None:
    value, scans = tested
    for subject, scan in scans.items():
        assert value("dice", subject, "yen") == pytest.approx(dice_of(yen_mask(scan), scan.lesion))


def test_lesions_are_found_as_components_of_scipy(tested: tuple[Value, dict[str, RealScan]]) -> None:
    value, scans = tested
    results = {subject: lesions_found(yen_mask(scan), scan.lesion) for subject, scan in scans.items()}
    for subject, (_, found, hits, false) in results.items():
        assert value("lesion_recall", subject, "yen") == pytest.approx(np.mean(found))
        assert value("lesion_precision", subject, "yen") == pytest.approx(hits / (hits + false))
        assert value("false_positive_components", subject, "yen") == false
    sizes = np.concatenate([sizes for sizes, *_ in results.values()])
    found = np.concatenate([found for _, found, *_ in results.values()])
    assert value("lesion_recall", protocol="yen") == pytest.approx(found.mean())
    if (sizes <= 8).any():
        tiny = value("lesion_recall", protocol="yen", stratum="tiny")
        assert tiny == pytest.approx(found[sizes <= 8].mean())


def test_the_threshold_of_one_patient_marks_the_lesions_of_another(
    scans: dict[str, RealScan], tmp_path: Path
) -> None:
    value = value_of("mslub", {"patient19": "validation", "patient26": "test"}, scans, tmp_path)
    _, threshold = best_dice({"patient19": scans["patient19"]})
    assert value("threshold", protocol="validation") == pytest.approx(threshold / 2**EXPONENT)
    test = scans["patient26"]
    predicted = test.scores.astype(np.float64) >= threshold
    assert value("dice", protocol="validation") == pytest.approx(dice_of(predicted, test.lesion))
    assert value("dice", protocol="validation") <= value("dice", protocol="oracle")
    _, found, _, false = lesions_found(predicted, test.lesion)
    assert value("lesion_recall", protocol="validation") == pytest.approx(np.mean(found))
    assert value("false_positive_components", protocol="validation") == false
