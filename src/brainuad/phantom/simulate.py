"""A whole phantom data set: its subjects in parallel, written in the published layout."""

import hashlib
import json
import multiprocessing
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import nibabel as nib
from tqdm import tqdm

from brainuad.phantom.anatomy import load_anatomy, prepare_anatomies
from brainuad.phantom.head import Model
from brainuad.phantom.layout import Layout, SubjectFacts, find_layout, published_files
from brainuad.phantom.names import phantom_numbers
from brainuad.phantom.settings import PhantomSettings
from brainuad.phantom.subject import Subject, draw_facts, simulate_subject
from brainuad.phantom.warp import make_guide
from brainuad.randomness import seed_for
from brainuad.storage import atomic_path

RECIPE = 6  # raise it when the simulation changes, so that subjects on disk are made again
STAMP = "brain-uad phantom"


@dataclass(frozen=True)
class Task:
    """One subject to simulate, in a form that travels between processes."""

    dataset: str
    facts: SubjectFacts
    settings: PhantomSettings
    seed: int
    anatomies: tuple[Path, ...]
    root: Path


def simulate_dataset(
    dataset: str,
    count: int,
    settings: PhantomSettings,
    seed: int,
    atlas_folder: Path,
    output_folder: Path,
    workers: int = 1,
) -> None:
    """Writes the first `count` subjects of a phantom data set, and no others, in its published layout.

    A subject whose files are there, made with the same settings and seed, is kept.
    """
    layout, root = find_layout(dataset), Path(output_folder)
    # A folder of atlases that many share may be read alone.
    anatomies = tuple(prepare_anatomies(settings.anatomy, atlas_folder, root.parent / "anatomies"))
    facts = _draw_people(dataset, layout, count, seed)
    tasks = [Task(dataset, each, settings, seed, anatomies, root) for each in facts]
    _remove_others(root, {root / file for each in facts for file in published_files(layout, each).values()})
    missing = [task for task in tasks if not is_finished(task)]
    terminal = sys.stderr.isatty()
    progress = tqdm(
        total=len(missing), desc=f"phantom {dataset}", ncols=70, mininterval=0.5 if terminal else 30
    )
    with progress:
        for _ in _run(missing, workers):
            progress.update()
    if layout.write_extras is not None:
        layout.write_extras(facts, root, seed)


def _draw_people(dataset: str, layout: Layout, count: int, seed: int) -> list[SubjectFacts]:
    if layout.own_files is not None and layout.own_files.people is not None:
        return layout.own_files.people(count, seed)
    return [draw_facts(dataset, layout, number, seed) for number in phantom_numbers(dataset, count, seed)]


def _remove_others(root: Path, wanted: set[Path]) -> None:
    """Removes simulated images of subjects that are not asked for any more; never a real scan."""
    for path in sorted(path for kind in ("*.nii.gz", "*.h5", "*.dcm") for path in root.rglob(kind)):
        if wanted.isdisjoint([path, *path.parents]) and _read_stamp(path).startswith(STAMP):
            path.unlink()
            for folder in path.parents:
                if folder == root or any(folder.iterdir()):
                    break
                folder.rmdir()


def _run(tasks: list[Task], workers: int) -> Iterator[str]:
    if min(workers, len(tasks)) <= 1:
        yield from map(simulate_task, tasks)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(tasks)), context) as pool:
        futures = [pool.submit(simulate_task, task) for task in tasks]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def simulate_task(task: Task) -> str:
    """Writes the files of one subject and returns its name."""
    layout = find_layout(task.dataset)
    subject = Subject(task.dataset, layout, task.facts, task.settings, task.seed)
    choice = seed_for(task.seed, "phantom", task.dataset, task.facts.person, "anatomy") % len(task.anatomies)
    model = _model(task.anatomies[choice])
    if layout.own_files is not None:
        layout.own_files.write(subject, model, task.root, _stamp(task))
        return task.facts.subject
    files = published_files(layout, task.facts)
    for role, image in simulate_subject(subject, model):
        if role in files:
            _save(image, task.root / files[role], _stamp(task))
    return task.facts.subject


@lru_cache(maxsize=2)
def _model(path: Path) -> Model:
    anatomy = load_anatomy(path)
    return Model(anatomy, make_guide(anatomy))


def is_finished(task: Task) -> bool:
    """Whether all files of a subject exist and were made with the same settings, seed and code."""
    files = published_files(find_layout(task.dataset), task.facts).values()
    return all(_read_stamp(task.root / file) == _stamp(task) for file in files)


def _stamp(task: Task) -> str:
    """What is written into each file's header: that it is simulated, and from what."""
    anatomies = [path.name for path in task.anatomies]
    made_from = json.dumps([RECIPE, task.settings.model_dump(mode="json"), task.seed, anatomies])
    return f"{STAMP} " + hashlib.blake2b(made_from.encode(), digest_size=8).hexdigest()


def _read_stamp(path: Path) -> str:
    if path.suffix == ".h5":
        return _read_h5_stamp(path)
    if path.suffix == ".dcm" or path.is_dir():
        return _read_dicom_stamp(path)
    try:
        header = nib.Nifti1Image.from_filename(path).header
        return header["descrip"].tobytes().rstrip(b"\0").decode(errors="replace")
    except (OSError, EOFError, nib.filebasedimages.ImageFileError):
        return ""


def _read_h5_stamp(path: Path) -> str:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return str(file.attrs.get("simulated", ""))
    except OSError:
        return ""


def _read_dicom_stamp(path: Path) -> str:
    """The stamp of a DICOM file, or of the first one below a folder."""
    import pydicom

    file = path if path.is_file() else next(iter(sorted(path.rglob("*.dcm"))), None)
    try:
        return (
            "" if file is None else str(pydicom.dcmread(file, specific_tags=["ImageComments"]).ImageComments)
        )
    except (OSError, EOFError, AttributeError, pydicom.errors.InvalidDicomError):
        return ""


def _save(image: nib.Nifti1Image, path: Path, stamp: str) -> None:
    image.header["descrip"] = stamp
    with atomic_path(path) as temporary:
        nib.save(image, temporary)
