"""Fabricated results that only figures read: seconds, logs, latent vectors, synthetic sets, boxes, sweeps."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.text import Text
from pydantic import TypeAdapter

from brainuad.reporting.figure_settings import FigureSettings
from brainuad.reporting.figures.style import Results
from brainuad.reporting.inputs import StudyEntry
from brainuad.reporting.summary import WORDS
from brainuad.storage import write_table

METHODS = [{"method": m, "label": f"Label {m}"} for m in ("dae-coarse", "ddpm-simplex", "andi-mf5")]


def figure_settings(kind: str, **content: object) -> Any:
    """Settings of one figure."""
    return TypeAdapter(FigureSettings).validate_python({"kind": kind, "title": "Title", **content})


def texts(figure: Figure) -> str:
    """Everything that is written in a figure."""
    figure.canvas.draw()
    return "\n".join(text.get_text() for text in figure.findobj(Text) if text.get_visible())


def with_scores(study: StudyEntry, rows: list[tuple[str, int, str, str, str, str, str, float]]) -> Results:
    """Results that hold these scores: method, run, dataset, subject, protocol, metric, stratum, value."""
    names = ["method", "run", "dataset", "subject", "protocol", "metric", "stratum", "value"]
    scores = pd.DataFrame(rows, columns=names).assign(study=study.name, threshold=np.nan)
    return Results(study, scores.astype(dict.fromkeys(WORDS, "category")))


def empty_study(folder: Path, runs: int = 1) -> StudyEntry:
    """A study without methods or data sets, whose files a test writes itself."""
    return StudyEntry("study", "Study", "", folder, (), (), runs)


def write_log(study: StudyEntry, model: str, run: int, columns: dict[str, list[float | None]]) -> None:
    """A training log."""
    write_table(pd.DataFrame(columns), study.training_log(model, run))


def write_embeddings(study: StudyEntry, method: str, points: int = 12) -> None:
    """Latent vectors of three groups far from each other; pseudo-healthy slices of healthy scans too."""
    rng = np.random.default_rng(0)
    groups = {("healthy", "input"): 0, ("patient", "input"): 20, ("patient", "pseudo-healthy"): -20}
    groups |= {("healthy", "pseudo-healthy"): 500}
    tables = []
    for (group, kind), centre in groups.items():
        z = rng.normal(centre, 1, (points, 3))
        place = {
            "dataset": "ixi" if group == "healthy" else "brats21",
            "subject": "S",
            "slice": range(points),
        }
        values = {f"z{i}": z[:, i] for i in range(3)}
        tables.append(pd.DataFrame({**place, "group": group, "kind": kind, **values}))
    write_table(pd.concat(tables), study.embeddings(method, 0))
