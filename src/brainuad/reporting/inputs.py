"""The files that tables, figures and the HTML report read, as one description that a rule can build.

Paths follow the layout of the results folder. A file that does not exist is a method that was not run.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from brainuad.evaluation.settings import EvaluationSettings, PostProcessingStep
from brainuad.reporting.figure_settings import FigureSettings
from brainuad.reporting.settings import AnyTableSettings


@dataclass(frozen=True)
class MethodEntry:
    """One method of a study: its name in paths, how it is written, its model and post-processing steps.

    `maps` names the method whose maps it takes over; "" means its own. `remark` is what its readers must know.
    `datasets` are those that it is scored on, where they are not all of the study's.
    `compared` is False for variants of a sweep and ablations on validation patients, which only tables and
    figures show.
    """

    name: str
    label: str
    model: str | None = None
    maps: str = ""
    steps: tuple[PostProcessingStep, ...] = ()
    remark: str = ""
    compared: bool = True
    datasets: tuple[str, ...] = ()


@dataclass(frozen=True)
class DatasetEntry:
    """One data set of a study: packed arrays, quality table and mosaic, and whether it is simulated."""

    name: str
    arrays: Path
    phantom: bool
    label: str = ""
    quality: Path | None = None
    mosaic: Path | None = None


@dataclass(frozen=True)
class StudyEntry:
    """One study: `folder` is results/{study}; `evaluation` says how masks are made from its maps."""

    name: str
    title: str
    reference: str
    folder: Path
    methods: tuple[MethodEntry, ...]
    datasets: tuple[DatasetEntry, ...]
    runs: int = 1
    tables: Mapping[str, AnyTableSettings] = field(default_factory=dict)
    figures: Mapping[str, FigureSettings] = field(default_factory=dict)
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)

    @property
    def compared_methods(self) -> tuple[MethodEntry, ...]:
        """The methods that pages compare with each other."""
        return tuple(method for method in self.methods if method.compared)

    def scores(self, method: str, run: int, dataset: str) -> Path:
        """The tidy scores of one method, run and data set."""
        return self.folder / "scores" / method / f"run-{run}" / f"{dataset}.tsv"

    def curve(self, method: str, run: int, dataset: str) -> Path:
        """The pooled precision-recall curve."""
        return self.folder / "scores" / method / f"run-{run}" / f"{dataset}_curve.tsv"

    def manifest(self, method: str, run: int, dataset: str) -> Path:
        """The table of anomaly maps; the maps lie in the folder of the same name without suffix."""
        maps = next((entry.maps for entry in self.methods if entry.name == method), "") or method
        return self.folder / "maps" / maps / f"run-{run}" / f"{dataset}.tsv"

    def seconds(self, method: str, run: int, dataset: str) -> Path:
        """Seconds of every volume, with post-processing."""
        return self.folder / "scores" / method / f"run-{run}" / f"{dataset}_seconds.tsv"

    def cost(self, model: str, run: int) -> Path:
        """What a training took."""
        return self.folder / "models" / model / f"run-{run}" / "cost.json"

    def training_log(self, model: str, run: int) -> Path:
        """The numbers logged while a model was trained."""
        return self.folder / "models" / model / f"run-{run}" / "log.tsv"

    def embeddings(self, method: str, run: int) -> Path:
        """Latent vectors of slices, by the model of a method."""
        return self.folder / "embeddings" / method / f"run-{run}.tsv"

    def statistics(self, dataset: str) -> Path:
        """The comparisons of methods on one data set."""
        return self.folder / "statistics" / f"{dataset}.tsv"

    def table(self, name: str, suffix: str) -> Path:
        """A written table; `suffix` is csv, md or tex."""
        return self.folder / "tables" / f"{name}.{suffix}"

    def figure(self, name: str, suffix: str) -> Path:
        """A drawn figure; `suffix` is svg or png."""
        return self.folder / "figures" / f"{name}.{suffix}"

    def dataset(self, name: str) -> DatasetEntry | None:
        """The data set of that name, if the study has it."""
        return next((entry for entry in self.datasets if entry.name == name), None)

    @property
    def phantoms(self) -> frozenset[str]:
        """Names of the data sets that are simulated."""
        return frozenset(entry.name for entry in self.datasets if entry.phantom)

    def score_files(self) -> list[Path]:
        """Every score table that a complete study has."""
        return [self.scores(*key) for key in self._keys()]

    def map_files(self) -> list[Path]:
        """Every manifest of maps that a complete study has."""
        return [self.manifest(*key) for key in self._keys()]

    def files(self) -> list[Path]:
        """Every file that the report reads from a complete study, except arrays and maps of subjects."""
        models = sorted({method.model for method in self.methods if method.model})
        costs = [self.cost(model, run) for model in models for run in range(self.runs)]
        tables = [self.table(name, suffix) for name in self.tables for suffix in ("csv", "md", "tex")]
        figures = [self.figure(name, suffix) for name in self.figures for suffix in ("svg", "png")]
        statistics = [self.statistics(dataset.name) for dataset in self.datasets]
        shown = [path for entry in self.datasets for path in (entry.quality, entry.mosaic) if path]
        curves = [self.curve(*key) for key in self._keys()]
        return [
            *self.score_files(),
            *curves,
            *self.map_files(),
            *costs,
            *statistics,
            *tables,
            *figures,
            *shown,
        ]

    def _keys(self) -> list[tuple[str, int, str]]:
        return [
            (method.name, run, dataset.name)
            for method in self.methods
            for run in range(self.runs)
            for dataset in self.datasets
            if not method.datasets or dataset.name in method.datasets
        ]


@dataclass(frozen=True)
class CurationEntry:
    """A data set whose cohort was chosen by reports: its flow table, what there was to remark, and how labellers agree
    where that was asked.

    `labeller` is the one whose labels have chosen.
    """

    name: str
    phantom: bool
    labeller: str
    flow: Path
    remarks: Path
    agreement: Path | None = None


@dataclass(frozen=True)
class Provenance:
    """What made the numbers: program versions, hash and scale of the configuration."""

    versions: Mapping[str, str]
    config_hash: str
    scale: str


@dataclass(frozen=True)
class ReportInputs:
    """Everything that the HTML report shows.

    `quality` lists every cohort that was preprocessed, `curation` those that were chosen by reports. `benchmarks` are
    folders of Snakemake's benchmark tables by the name of the step. `leaderboard` is the folder of the ranking across
    studies, `phantom_contests` those of its contests that are on simulated scans. `subjects` volumes per data set get a
    page, with at most `slices` slices each.
    """

    studies: tuple[StudyEntry, ...]
    provenance: Provenance
    quality: tuple[DatasetEntry, ...] = ()
    benchmarks: Mapping[str, Path] = field(default_factory=dict)
    leaderboard: Path | None = None
    subjects: int = 4
    slices: int = 24
    curation: tuple[CurationEntry, ...] = ()
    phantom_contests: tuple[str, ...] = ()

    @property
    def phantoms(self) -> frozenset[str]:
        """Names of the simulated data sets of all studies."""
        cohorts = frozenset(entry.name for entry in self.quality if entry.phantom)
        return cohorts.union(*(study.phantoms for study in self.studies))

    def files(self) -> list[Path]:
        """Every file that a complete report reads, without duplicates, for a rule's input."""
        cohorts = [path for entry in self.quality for path in (entry.quality, entry.mosaic) if path]
        studies = [path for study in self.studies for path in study.files()]
        chosen = [path for entry in self.curation for path in (entry.flow, entry.agreement) if path]
        return list(dict.fromkeys([*studies, *cohorts, *chosen]))
