"""Verbs of the way from radiology reports to labels: a labeller is trained, reads, and is compared with another."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from brainuad.cli.app import File, OptionalFile, Settings, limit_threads, settings_under, verb
from brainuad.errors import InputError

Threads = Annotated[int, typer.Option(min=1, help="of the processor")]


@verb
def train_labeller(
    output: Annotated[Path, typer.Option(help="folder for the trained labeller")],
    labelled: OptionalFile = "",
    reports: OptionalFile = "",
    scale: Annotated[Literal["quick", "paper"], typer.Option(help="size of the network")] = "paper",
    settings: Annotated[str, typer.Option(help='settings to change, as JSON: {"epochs": 5}')] = "{}",
    seed: Annotated[int, typer.Option(min=0)] = 0,
    threads: Threads = 2,
) -> None:
    """Train a report labeller on synthetic reports, and on your own: a TSV of labels of REPORTS."""
    limit_threads(threads)
    import torch

    from brainuad.curation.labelled_reports import read_labelled
    from brainuad.curation.learned_training import read_settings
    from brainuad.curation.learned_training import train_labeller as train

    chosen = read_settings(settings, scale)
    if labelled and not reports:
        raise InputError("--labelled needs --reports: the export with the texts that the labels are of.")
    own = read_labelled(Path(labelled), Path(reports)) if labelled else []
    torch.set_num_threads(threads)
    labeller, training = train(chosen, seed, own)
    labeller.save(output, training)
    typer.echo(json.dumps(training["held_out"], indent=2))


@verb
def label_reports(settings: Settings, reports: File, output: File, workers: Threads = 1) -> None:
    """Write what each report says about 33 findings and impressions."""
    from brainuad.curation.settings import LabellingSettings

    chosen = settings_under(settings, "labelling", LabellingSettings)
    _use_threads(workers, chosen)
    if chosen.table is not None and chosen.labeller == "table":
        from brainuad.curation.label_table import copy_labels

        copy_labels(chosen.table, reports, output)
        return
    from brainuad.curation.label_reports import label_reports as label

    label(reports, output, chosen, workers)


@verb
def compare_labellers(
    settings: Settings,
    reports: File,
    labels: File,
    selection: File,
    output: File,
    truth: OptionalFile = "",
    workers: Threads = 1,
) -> None:
    """Write how other labellers agree with LABELS, and with the TRUTH of a phantom."""
    from brainuad.curation.settings import LabellingSettings

    job = json.loads(settings)
    others = [LabellingSettings.model_validate(each) for each in job["others"]]
    _use_threads(workers, *others)
    from brainuad.curation import selection_inputs as files
    from brainuad.curation.compare import compare_labellers as compare
    from brainuad.curation.compare import read_by
    from brainuad.curation.selection import COLUMNS
    from brainuad.storage import read_table, write_table

    read = {job["labeller"]: files.read_labelled_rows(labels)}
    read |= {other.labeller: read_by(reports, other, workers) for other in others}
    written = files.read_rows(Path(truth), ("scan", "label", "in_report")) if truth else None
    write_table(compare(read, read_table(selection, needs=COLUMNS), written), output)


def _use_threads(threads: int, *settings: Any) -> None:
    """Gives a network so many threads; rules have processes of one thread instead."""
    learned = any(each.labeller == "learned" for each in settings)
    limit_threads(threads if learned else 1)
    if learned:
        import torch

        torch.set_num_threads(threads)
