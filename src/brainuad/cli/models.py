"""Verbs of the rules in `workflow/rules/models.smk`: training, inference and evaluation."""

from pathlib import Path

from brainuad.cli.app import File, Settings, job_of, settings_of, validated, verb
from brainuad.settings import WEIGHTS_FOLDER
from brainuad.storage import read_json, write_table


@verb
def train(
    settings: Settings,
    split: File,
    state: File,
    checkpoint: File,
    log: File,
    cost: File,
    arrays: list[Path],
    weights_folder: File = WEIGHTS_FOLDER,
    device: str = "auto",
    gpus: int = 1,
    threads: int = 0,
    loader_workers: int = 0,
) -> None:
    """Train one model, going on from its state where there is one."""
    from brainuad.preprocessing.split_file import read_split
    from brainuad.training.train import Machine, ModelRequest, TrainingFiles, train_model

    job = settings_of(settings)
    read_split(split)  # a leak stops the run before it starts
    files = TrainingFiles(split, tuple(path.parent for path in arrays), state, checkpoint, log, cost)
    machine = Machine(device, gpus, threads, loader_workers, weights_folder=weights_folder)
    train_model(validated(ModelRequest, job), files, machine)


@verb
def calibrate(
    settings: Settings,
    split: File,
    checkpoint: File,
    output: File,
    arrays: list[Path],
    weights_folder: File = WEIGHTS_FOLDER,
    device: str = "auto",
    threads: int = 0,
) -> None:
    """Choose a method's settings on the healthy validation scans of its model's training data."""
    import torch

    from brainuad.inference.calibrate import CalibrationFiles, calibrate_method
    from brainuad.inference.infer import ScoringRequest
    from brainuad.training.device import chosen_device

    if threads:
        torch.set_num_threads(threads)
    job = job_of(settings)
    slices = job["slices"]
    del job["slices"]
    request = validated(ScoringRequest, {**job, "dataset": ""})
    folders = tuple(path.parent for path in arrays)
    files = CalibrationFiles(split, folders, checkpoint, weights_folder, output)
    calibrate_method(request, slices, files, chosen_device(device))


@verb
def infer(
    settings: Settings,
    split: File,
    arrays: File,
    maps: File,
    output: File,
    weights_folder: File = WEIGHTS_FOLDER,
    checkpoint: str = "",
    calibration: str = "",
    device: str = "auto",
    threads: int = 0,
) -> None:
    """Score the validation and test subjects of a data set; finished subjects are kept."""
    import torch

    from brainuad.inference.infer import ScoringFiles, ScoringRequest, infer_dataset
    from brainuad.study import overlay

    if threads:
        torch.set_num_threads(threads)
    job = settings_of(settings)
    if calibration:
        job["settings"] = overlay(job["settings"], read_json(Path(calibration))["settings"])
    model = Path(checkpoint) if checkpoint else None
    files = ScoringFiles(split, arrays.parent, model, maps, output, weights_folder)
    infer_dataset(validated(ScoringRequest, job), files, device)


@verb
def evaluate(
    settings: Settings,
    split: File,
    maps: File,
    arrays: File,
    scores: File,
    curve: File,
    healthy_maps: str = "",
    healthy_arrays: str = "",
    seconds: str = "",
) -> None:
    """Turn the maps of one method, run and data set into scores and a precision-recall curve.

    SECONDS is a table of what each subject took, post-processing included.
    """
    from brainuad.arrays import ArrayStore
    from brainuad.evaluation.evaluate import evaluate_method
    from brainuad.evaluation.map_sets import MapSet
    from brainuad.evaluation.settings import EvaluationSettings
    from brainuad.preprocessing.split_file import read_split

    job = settings_of(settings)
    healthy = []
    if healthy_maps:
        healthy.append(MapSet.open(Path(healthy_maps), ArrayStore(Path(healthy_arrays).parent)))
    evaluation = evaluate_method(
        MapSet.open(maps, ArrayStore(arrays.parent)),
        read_split(split),
        healthy,
        validated(EvaluationSettings, job["evaluation"], "evaluation"),
        {key: job[key] for key in ("study", "method", "run")},
    )
    write_table(evaluation.scores, scores)
    write_table(evaluation.curve, curve)
    if seconds:
        write_table(evaluation.seconds, Path(seconds))


@verb
def embed(
    settings: Settings,
    split: File,
    checkpoint: File,
    output: File,
    arrays: list[Path],
    maps: str = "",
    device: str = "auto",
    threads: int = 0,
) -> None:
    """Write the latent vectors of slices; MAPS are the manifests of pseudo-healthy images, with spaces between."""
    import torch

    from brainuad.inference.embed import EmbedFiles, EmbedRequest, embed_slices
    from brainuad.training.device import chosen_device

    if threads:
        torch.set_num_threads(threads)
    request = validated(EmbedRequest, job_of(settings))
    manifests = tuple(Path(name) for name in maps.split())
    files = EmbedFiles(split, tuple(path.parent for path in arrays), checkpoint, manifests, output)
    embed_slices(request, files, chosen_device(device))


@verb
def export(settings: Settings, maps: File, arrays: File, cohort: File, output: File) -> None:
    """Write the anomaly maps of one method, run and data set as NIfTI; OUTPUT is the table of them."""
    from brainuad.evaluation.settings import PostProcessingStep
    from brainuad.inference.export import ExportFiles, export_maps

    job = settings_of(settings)
    steps = validated(tuple[PostProcessingStep, ...], job["steps"], "steps")
    derivatives = Path("results/derivatives") / job["dataset"]
    export_maps(ExportFiles(maps, arrays.parent, derivatives, cohort, Path(job["root"])), steps, output)
