# Reads the plan once and turns it into inputs, parameters and targets for the rules.

import gc
import json
import re
import sys
from functools import lru_cache
from pathlib import Path

from pydantic import TypeAdapter

from brainuad.config_errors import read_config
from brainuad.errors import InputError
from brainuad.locks import record_run, remove_lock_of_killed_run
from brainuad.plan_reader import read_plan
from brainuad.plan_requirements import NETWORKS, PREPROCESSING, Place, require_all
from brainuad.report_plan import figure_entry, report_inputs
from brainuad.reporting.needed_scores import needed_by_figure, needed_by_table
from brainuad.stage_versions import STAGE_VERSIONS

# The jobs of large studies, thousands of objects each, stay until the end. Searching them for garbage at the usual pace
# takes a quarter of the time of a dry run.
gc.set_threshold(1_000_000)

try:
    for path in workflow.configfiles:
        read_config(Path(path))  # YAML itself keeps the last of two equal keys
    PLAN = read_plan(config, Path(workflow.basedir) / "workflow")
except InputError as error:
    sys.exit(f"{error}")

CONFIG = PLAN.config

# Jobs read this file too.
if workflow.is_main_process and not workflow.output_settings.dryrun:
    if message := remove_lock_of_killed_run(Path.cwd()):
        print(message, file=sys.stderr)


def check_requirements():
    """Notes that this run is at work, and stops it before its first job if its studies need something that is missing."""
    record_run(Path.cwd(), jobs_run_here=workflow.local_exec)
    own_packages = not workflow.deployment_settings.deployment_method
    try:
        require_all(PLAN, Place(workflow.local_exec, own_packages), rules_to_run())
    except InputError as error:
        sys.exit(f"{error}")


def rules_to_run():
    """The rules that have something to do; those that need something, where a cohort is still to be chosen."""
    names = {job.rule.name for job in workflow.dag.needrun_jobs()}
    unknown = "select_cohort" in names and "curate" not in names
    return names | PREPROCESSING | NETWORKS if unknown else names


def alternatives(names):
    """A wildcard constraint that allows exactly these names."""
    return "|".join(re.escape(name) for name in sorted(set(names))) or "none"


def names_of(part):
    """All keys of one part (models, methods, tables, figures) over the chosen studies."""
    return {name for study in PLAN.studies.values() for name in getattr(study, part)}


wildcard_constraints:
    study=alternatives(PLAN.studies),
    dataset=alternatives([*PLAN.known_datasets, *names_of("synthetic")]),
    recipe=alternatives(PLAN.used_recipes()),
    model=alternatives(names_of("models")),
    method=alternatives(names_of("methods")),
    table=alternatives(names_of("tables")),
    figure=alternatives(names_of("figures")),
    run=r"\d+",
    subject="[A-Za-z0-9]+",


def settings(stage, **content):
    """The settings of one job as JSON; a change in them reruns the job, and nothing else."""
    return json.dumps(
        {"version": STAGE_VERSIONS.get(stage, 1), **content},
        sort_keys=True,
        default=str,
    )


# Data sets


def simulation_settings(wildcards):
    name = wildcards.dataset
    phantom = CONFIG.phantom
    return settings(
        "simulate",
        dataset=name,
        count=phantom.subjects.get(name, 0),
        phantom=phantom.settings.model_dump(mode="json"),
        seed=CONFIG.seed,
    )


def phantom_marker(wildcards):
    scans = PLAN.scans_of(wildcards.dataset)
    return [f"results/phantom/{scans}.json"] if PLAN.is_phantom(scans) else []


def index_settings(wildcards):
    name = wildcards.dataset
    selection = cohort_selection(wildcards)
    return settings(
        "index",
        dataset=name,
        format=CONFIG.datasets[name].format if name in CONFIG.datasets else None,
        root=PLAN.root(name),
        source=PLAN.source(name),
        **({"selection": selection} if selection else {}),
    )


def preprocess_settings(wildcards):
    name = wildcards.dataset
    return settings(
        "preprocess",
        root=PLAN.root(name),
        preprocessing=PLAN.preprocessing(name).model_dump(mode="json"),
        source=PLAN.source(name, wildcards.subject),
    )


def preprocess_gpus(wildcards):
    """One GPU where the skull stripper of a data set runs on it."""
    chosen = PLAN.preprocessing(wildcards.dataset)
    return int(chosen.skull_strip == "hd-bet" and chosen.hd_bet.device == "cuda")


def subject_records(wildcards):
    folder = f"results/derivatives/{wildcards.dataset}"
    return [
        f"{folder}/sub-{subject}/quality.json"
        for subject in selected_subjects(wildcards.dataset)
    ]


def histogram_references(wildcards):
    """The quality tables of the data sets to which a recipe matches intensities."""
    names = PLAN.histogram_references(wildcards.recipe)
    return [f"results/derivatives/{name}/quality.tsv" for name in names]


def pack_settings(wildcards):
    names = PLAN.histogram_references(wildcards.recipe)
    return settings(
        "pack",
        recipe=PLAN.recipes[wildcards.recipe].model_dump(mode="json"),
        references={name: f"results/derivatives/{name}" for name in names},
    )


def arrays_index(study, dataset):
    """The index of the arrays that a study reads of a data set, real or synthetic."""
    return f"{PLAN.arrays(study, dataset)}/index.tsv"


def split_indices(wildcards):
    names = PLAN.studies[wildcards.study].splits
    return [arrays_index(wildcards.study, name) for name in names]


def split_settings(wildcards):
    study, run = wildcards.study, int(wildcards.run)
    return settings("split", **PLAN.split_settings(study, run))


def planting_arrays(wildcards):
    """The arrays into which the anomalies of a synthetic test set are planted."""
    base = PLAN.studies[wildcards.study].synthetic[wildcards.dataset].of
    return arrays_index(wildcards.study, base)


def planting_settings(wildcards):
    return settings(
        "plant", **PLAN.planting_request(wildcards.study, wildcards.dataset)
    )


# Models and methods


def training_arrays(wildcards):
    datasets, _ = PLAN.training_data(wildcards.study, wildcards.model)
    return [arrays_index(wildcards.study, name) for name in datasets]


def training_settings(wildcards):
    study, model = wildcards.study, wildcards.model
    return settings("train", **PLAN.training_request(study, model, int(wildcards.run)))


def dataset_arrays(wildcards):
    return arrays_index(wildcards.study, wildcards.dataset)


def method_checkpoint(wildcards):
    model = PLAN.studies[wildcards.study].methods[wildcards.method].model
    return (
        [f"results/{wildcards.study}/models/{model}/run-{wildcards.run}/model.ckpt"]
        if model
        else []
    )


def scoring_settings(wildcards):
    return settings(
        "infer",
        **PLAN.scoring_request(wildcards.study, wildcards.method, int(wildcards.run)),
        dataset=wildcards.dataset,
    )


def method_calibration(wildcards):
    """The settings that are chosen on healthy validation scans, for the methods that do so."""
    study, method = wildcards.study, wildcards.method
    if not PLAN.needs_calibration(study, method):
        return []
    return f"results/{study}/calibrations/{method}/run-{wildcards.run}.json"


def calibration_arrays(wildcards):
    """The arrays that a method's model was trained on."""
    model = PLAN.studies[wildcards.study].methods[wildcards.method].model
    datasets, _ = PLAN.training_data(wildcards.study, model)
    return [arrays_index(wildcards.study, name) for name in datasets]


def calibration_settings(wildcards):
    study, method, run = wildcards.study, wildcards.method, int(wildcards.run)
    return settings("calibrate", **PLAN.calibration_request(study, method, run))


def embedded_arrays(wildcards):
    names = PLAN.studies[wildcards.study].test_datasets
    return [arrays_index(wildcards.study, name) for name in names]


def embedded_maps(wildcards):
    """The manifests of the pseudo-healthy images that are embedded beside the test images."""
    names = PLAN.studies[wildcards.study].test_datasets
    folder = (
        f"results/{wildcards.study}/maps/{scored_method(wildcards)}/run-{wildcards.run}"
    )
    return [f"{folder}/{name}.tsv" for name in names]


def embedding_settings(wildcards):
    datasets = PLAN.studies[wildcards.study].test_datasets
    return settings("embed", datasets=datasets, role="test")


def scored_method(wildcards):
    """The method whose maps are evaluated: the method's own, or those it takes over."""
    return (
        PLAN.studies[wildcards.study].methods[wildcards.method].maps_of
        or wildcards.method
    )


def method_maps(wildcards):
    folder = (
        f"results/{wildcards.study}/maps/{scored_method(wildcards)}/run-{wildcards.run}"
    )
    return f"{folder}/{wildcards.dataset}.tsv"


def healthy_dataset(wildcards):
    """The healthy data set whose maps give the false-positive threshold, if it is another one."""
    healthy = PLAN.studies[wildcards.study].healthy_dataset
    return healthy if healthy and healthy != wildcards.dataset else None


def healthy_maps(wildcards):
    healthy = healthy_dataset(wildcards)
    folder = (
        f"results/{wildcards.study}/maps/{scored_method(wildcards)}/run-{wildcards.run}"
    )
    return [f"{folder}/{healthy}.tsv"] if healthy else []


def healthy_arrays(wildcards):
    healthy = healthy_dataset(wildcards)
    return [arrays_index(wildcards.study, healthy)] if healthy else []


def evaluation_settings(wildcards):
    request = PLAN.evaluation_request(wildcards.study, wildcards.method)
    return settings(
        "evaluate",
        **request,
        study=wildcards.study,
        method=wildcards.method,
        run=int(wildcards.run),
        dataset=wildcards.dataset,
        healthy=healthy_dataset(wildcards),
    )


def export_settings(wildcards):
    steps = PLAN.post_processing(wildcards.study, wildcards.method)
    return settings(
        "export",
        dataset=wildcards.dataset,
        root=PLAN.root(wildcards.dataset),
        steps=[step.model_dump(mode="json") for step in steps],
    )


# Results


def score_files(study, methods=None, datasets=None):
    """The scores of methods on data sets: of all of a study, or of those that are named."""
    return [
        f"results/{study}/scores/{method}/run-{run}/{dataset}.tsv"
        for method in (PLAN.studies[study].methods if methods is None else methods)
        for dataset in PLAN.method_datasets(study, method)
        if datasets is None or dataset in datasets
        for run in PLAN.runs(study)
    ]


def compared_scores(wildcards):
    """The scores of the methods that are compared with each other on a data set."""
    methods = PLAN.compared_methods(wildcards.study)
    return score_files(wildcards.study, methods, [wildcards.dataset])


def needed_scores(study, needed):
    """The scores of the methods that a table or figure names, of those that the study has."""
    methods = [name for name in PLAN.studies[study].methods if name in needed.methods]
    return score_files(study, methods, needed.datasets)


def tabulated(wildcards):
    """What a table shows: the scores of its rows, or how a cohort was chosen."""
    table = PLAN.studies[wildcards.study].tables[wildcards.table]
    if table.kind == "cohort-flow":
        return flow_tables(table.dataset)
    return needed_scores(wildcards.study, needed_by_table(table))


def figure_scores(wildcards):
    """The scores of the methods of a figure; their maps lie beside them."""
    figure = PLAN.studies[wildcards.study].figures[wildcards.figure]
    return needed_scores(wildcards.study, needed_by_figure(figure))


def figure_curves(wildcards):
    return [path.replace(".tsv", "_curve.tsv") for path in figure_scores(wildcards)]


def figure_extras(wildcards):
    """What a figure reads beside scores: arrays, latent vectors, or the logs of trainings."""
    folder = f"results/{wildcards.study}"
    figure = PLAN.studies[wildcards.study].figures[wildcards.figure]
    if figure.kind in ("noise-samples", "anomaly-examples"):
        shown = needed_by_figure(figure).datasets
        return [arrays_index(wildcards.study, name) for name in sorted(shown)]
    if figure.kind == "latent-map":
        names = [
            f"embeddings/{entry.method}/run-{figure.run}" for entry in figure.methods
        ]
    elif figure.kind == "training-curves":
        runs = PLAN.runs(wildcards.study)
        names = [
            f"models/{entry.model}/run-{run}/log"
            for entry in figure.models
            for run in runs
        ]
    else:
        names = []
    return [f"{folder}/{name}.tsv" for name in names]


def figure_seconds(wildcards):
    return [path.replace(".tsv", "_seconds.tsv") for path in figure_scores(wildcards)]


def significance_settings(wildcards):
    study = PLAN.studies[wildcards.study]
    return settings(
        "compare",
        significance=study.significance.model_dump(mode="json"),
        dataset=wildcards.dataset,
        methods=[
            method
            for method in PLAN.compared_methods(wildcards.study)
            if wildcards.dataset in PLAN.method_datasets(wildcards.study, method)
        ],
        seed=study.seed,
    )


def described(entry):
    """A description of the reporting stage as plain values."""
    return adapter_of(type(entry)).dump_python(entry, mode="json")


adapter_of = lru_cache(TypeAdapter)


def table_settings(wildcards):
    study = PLAN.studies[wildcards.study]
    table = study.tables[wildcards.table].model_dump(mode="json")
    datasets = PLAN.scored_datasets(wildcards.study)
    if table["kind"] == "cohort-flow":
        datasets = filter(CURATED.__contains__, [table["dataset"]])
    return settings(
        "tabulate",
        table=table,
        phantoms=sorted(
            name for name in datasets if PLAN.is_phantom(name, wildcards.study)
        ),
        remarks=PLAN.table_remarks(wildcards.study, wildcards.table),
        methods=list(study.methods),
    )


def figure_settings(wildcards):
    figure = PLAN.studies[wildcards.study].figures[wildcards.figure]
    return settings(
        "plot",
        figure=figure.model_dump(mode="json"),
        study=described(figure_entry(PLAN, wildcards.study, wildcards.figure)),
    )


def table_targets(wildcards):
    return [
        f"results/{name}/tables/{table}.{kind}"
        for name, study in PLAN.studies.items()
        for table in study.tables
        for kind in ("csv", "md", "tex")
    ]


def figure_targets(wildcards):
    return [
        f"results/{name}/figures/{figure}.{kind}"
        for name, study in PLAN.studies.items()
        for figure in study.figures
        for kind in ("svg", "png")
    ]


def statistics_targets(wildcards):
    return [
        f"results/{name}/statistics/{dataset}.tsv"
        for name, study in PLAN.studies.items()
        for dataset in study.test_datasets
    ]


def report_settings(wildcards):
    return settings("report", inputs=described(report_inputs(PLAN)))


def all_scores(wildcards):
    return [path for name in PLAN.studies for path in score_files(name)]


def all_quality(wildcards):
    return [f"results/derivatives/{name}/quality.tsv" for name in PLAN.used_datasets()]


# Resources: each retry of a job asks for more.


def memory_mb(base):
    def grown(wildcards, attempt):
        return base * attempt

    return grown


def runtime_min(base):
    def grown(wildcards, attempt):
        return base * attempt

    return grown


AT_PAPER_SCALE = CONFIG.scale == "paper"
LOADER_WORKERS = (
    (4 if AT_PAPER_SCALE else 0)
    if CONFIG.loader_workers is None
    else CONFIG.loader_workers
)
GPUS = CONFIG.gpus_per_training if AT_PAPER_SCALE and CONFIG.device != "cpu" else 0
