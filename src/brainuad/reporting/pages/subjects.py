"""Pages on which one subject's slices, maps and thresholds can be explored in a browser, without a server.

Each volume is one 8-bit picture (a sprite) in which all shown slices are tiled, written as text into a script
so that a page opened from a disk may read its pixels. Maps are stored as square roots, so that small values
keep their differences: value = top · (byte / 255)².
"""

import base64
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from brainuad.arrays import ArrayStore, Volume
from brainuad.reporting.colours import colour_of
from brainuad.reporting.figures.shown import shown_slice
from brainuad.reporting.figures.style import Results
from brainuad.reporting.inputs import MethodEntry
from brainuad.reporting.names import metric_name, modality_name, protocol_name
from brainuad.reporting.summary import Quantity, of_subjects
from brainuad.reporting.volumes import (
    Case,
    as_seen,
    bounding_box,
    choose_cases,
    display_window,
    load_dataset,
    load_method_volume,
    to_unit,
)
from brainuad.storage import write_text

MARGIN = 2  # voxels around the brain
OUTLINE = (45, 212, 255)


@dataclass(frozen=True)
class SubjectPage:
    """One subject's page; `config` is what its script needs, `scores` the table under the viewer."""

    slug: str
    title: str
    facts: tuple[tuple[str, str], ...]
    config: dict[str, Any]
    columns: tuple[str, ...]
    scores: tuple[dict[str, Any], ...] = field(default=())


@dataclass(frozen=True)
class _Shown:
    """What of a volume is shown: slices, and the box of rows and columns in display orientation."""

    slices: np.ndarray
    box: tuple[slice, slice]
    affine: np.ndarray

    def sprite(self, volume: np.ndarray) -> str:
        """The shown slices of (slice, x, y) values in [0, 1], tiled in rows, as a PNG in base64."""
        tiles = as_seen(volume[self.slices], self.affine)[(slice(None), *self.box)]
        count, height, width = tiles.shape
        columns = tile_columns(count)
        rows = -(-count // columns)
        sheet = np.zeros((rows * columns, height, width), dtype=np.uint8)
        sheet[:count] = np.round(255 * np.clip(tiles, 0, 1))
        sheet = sheet.reshape(rows, columns, height, width).swapaxes(1, 2)
        return _png(Image.fromarray(sheet.reshape(rows * height, columns * width)))

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel."""
        return abs(float(np.linalg.det(self.affine[:3, :3]))) / 1000


def tile_columns(count: int) -> int:
    """Tiles side by side in a sprite of `count` slices."""
    return int(np.ceil(np.sqrt(count)))


def _png(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def write_subject_pages(
    results: Results, dataset: str, limits: tuple[int, int], folder: Path
) -> list[SubjectPage]:
    """The pages of a data set's subjects, after writing their volumes as scripts below `folder`.

    `limits`: subjects, and slices per subject.
    """
    store = load_dataset(results.study.dataset(dataset))
    if store is None:
        return []
    subjects, slices = limits
    cases = choose_cases(store, results.study, dataset, subjects)
    return [_write_subject(case, results, store, (slices, folder)) for case in cases]


def _write_subject(case: Case, results: Results, store: ArrayStore, target: tuple[int, Path]) -> SubjectPage:
    limit, folder = target
    slug = f"{results.study.name}-{case.dataset}-{case.number}"
    volume, affine = store.volume(case.subject), store.affine(case.subject)
    seen = as_seen(np.any(volume.brain, axis=0), affine)
    box = tuple(
        slice(s.start, min(s.stop, n)) for s, n in zip(bounding_box(seen, MARGIN), seen.shape, strict=True)
    )
    shown = _Shown(shown_slices(volume, limit), box, affine)  # type: ignore[arg-type]
    windows = [display_window(volume.images[:, c], volume.brain) for c in range(len(store.channels))]
    content = {
        "channels": [shown.sprite(to_unit(volume.images[:, c], window)) for c, window in enumerate(windows)],
        "truth": shown.sprite(volume.lesion.astype(np.float32)),
    }
    write_text(_script("input", content), folder / slug / "input.js")
    methods = [
        entry
        for method in results.study.compared_methods
        if (entry := _write_method(method, case, (results, store), (shown, windows, folder / slug)))
    ]
    _write_thumbnail(volume, shown, windows[0], folder / slug / "thumbnail.png")
    config = {
        "folder": slug,
        "width": box[1].stop - box[1].start,
        "height": box[0].stop - box[0].start,
        "columns": tile_columns(len(shown.slices)),
        "slices": [int(z) for z in shown.slices],
        "first": int(np.flatnonzero(shown.slices == shown_slice(volume))[0]),
        "voxel_ml": shown.voxel_ml,
        "annotated": store.lesions_known(case.subject),
        "channels": [modality_name(channel) for channel in store.channels],
        "methods": methods,
        "chosen": next((m["name"] for m in [*(m for m in methods if m["healthy"]), *methods]), ""),
    }
    columns, scores = _scores(case, results)
    facts = _facts(volume, shown, config["annotated"])
    return SubjectPage(slug, case.pseudonym, facts, config, columns, scores)


def _script(name: str, content: dict[str, Any]) -> str:
    return f"brainuadViewer.receive({json.dumps(name)}, {json.dumps(content)});\n"


def shown_slices(volume: Volume, limit: int) -> np.ndarray:
    """At most `limit` slices that hold brain, evenly spaced, among them the one with the most lesion."""
    inside = np.flatnonzero(volume.brain.any(axis=(1, 2)))
    if len(inside) == 0:
        inside = np.arange(len(volume.brain))
    step = -(-len(inside) // limit)
    central = int(np.searchsorted(inside, shown_slice(volume)))
    return np.asarray(inside[central % step :: step])


def _write_method(
    method: MethodEntry,
    case: Case,
    source: tuple[Results, ArrayStore],
    target: tuple[_Shown, list[tuple[float, float]], Path],
) -> dict[str, Any] | None:
    results, store = source
    shown, windows, folder = target
    found = load_method_volume(results.study, method.name, 0, case, store)
    if found is None:
        return None
    top = float(found.anomaly_map.max()) or 1.0
    content: dict[str, Any] = {"map": shown.sprite(np.sqrt(found.anomaly_map / top)), "healthy": []}
    if found.pseudo_healthy is not None:
        healthy = found.pseudo_healthy
        content["healthy"] = [shown.sprite(to_unit(healthy[:, c], w)) for c, w in enumerate(windows)]
    write_text(_script(method.name, content), folder / f"{method.name}.js")
    positive = found.anomaly_map[found.anomaly_map > 0]
    lesion = store.volume(case.subject).lesion
    return {
        "name": method.name,
        "label": method.label,
        "colour": colour_of(method.name),
        "top": top,
        "bright": float(np.percentile(positive, 99.5)) if len(positive) else top,
        "lesion": _histogram(found.anomaly_map[lesion], top),
        "elsewhere": _histogram(found.anomaly_map[~lesion], top),
        "healthy": found.pseudo_healthy is not None,
        "thresholds": _thresholds(method.name, case, results.scores),
    }


def _histogram(values: np.ndarray, top: float) -> list[int]:
    """How many voxels of the whole volume have each byte of the sprite's code."""
    coded = np.round(255 * np.sqrt(values / top)).astype(np.int64)
    return [int(count) for count in np.bincount(coded, minlength=256)]


def _thresholds(method: str, case: Case, scores: pd.DataFrame) -> list[dict[str, Any]]:
    """The thresholds of run 0 that apply to the subject; that of the oracle is the pooled one."""
    rows = scores[
        (scores["method"] == method)
        & (scores["run"] == 0)
        & (scores["dataset"] == case.dataset)
        & (scores["metric"] == "dice")
        & (scores["stratum"] == "")
        & scores["threshold"].notna()
    ]
    pooled_oracle = (rows["protocol"] == "oracle") & (rows["subject"] == "pooled")
    own = (rows["protocol"] != "oracle") & (rows["subject"] == case.subject)
    return [
        {"label": protocol_name(protocol).removesuffix(" threshold"), "value": float(value)}
        for protocol, value in rows.loc[pooled_oracle | own, ["protocol", "threshold"]].itertuples(
            index=False
        )
    ]


def _write_thumbnail(volume: Volume, shown: _Shown, window: tuple[float, float], path: Path) -> None:
    z = shown_slice(volume)
    plane = as_seen(to_unit(volume.images[z, 0], window), shown.affine)[shown.box]
    picture = np.repeat(np.round(255 * plane).astype(np.uint8)[:, :, None], 3, axis=2)
    lesion = as_seen(volume.lesion[z], shown.affine)[shown.box]
    padded = np.pad(lesion, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    picture[lesion & ~inner] = OUTLINE
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path, optimize=True)


def _facts(volume: Volume, shown: _Shown, annotated: bool) -> tuple[tuple[str, str], ...]:
    lesion = f"{volume.lesion.sum() * shown.voxel_ml:.2f} ml" if annotated else "not annotated"
    spacing = np.linalg.norm(shown.affine[:3, :3], axis=0)
    return (
        ("Lesion volume", lesion),
        ("Voxel", " × ".join(f"{mm:.3g}" for mm in spacing) + " mm"),
        ("Slices shown", f"{len(shown.slices)} of {len(volume.brain)}"),
    )


def _scores(case: Case, results: Results) -> tuple[tuple[str, ...], tuple[dict[str, Any], ...]]:
    """Columns and rows of the subject's own scores, means over runs."""
    wanted = results.scores[results.scores["dataset"] == case.dataset]
    protocols = [p for p in wanted.loc[wanted["metric"] == "dice", "protocol"].unique()]
    columns = {metric_name("auprc"): Quantity(case.dataset, "auprc")}
    columns |= {f"Dice, {protocol_name(p)}": Quantity(case.dataset, "dice", p) for p in protocols}
    own = wanted[wanted["subject"] == case.subject]
    rows = []
    for method in results.study.compared_methods:
        values: dict[str, float | None] = {}
        for label, quantity in columns.items():
            runs = of_subjects(own[own["method"] == method.name], quantity)["value"].dropna()
            values[label] = float(runs.mean()) if len(runs) else None
        if any(value is not None for value in values.values()):
            rows.append({"label": method.label, "colour": colour_of(method.name), "values": values})
    return tuple(columns), tuple(rows)
