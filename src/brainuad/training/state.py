"""The state that lets a killed training go on, and the final checkpoint that methods score with.

The state lies outside declared outputs (Snakemake deletes the outputs of a failed job). It carries a hash
of the settings it was made with and is refused when they differ.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from brainuad.errors import InputError
from brainuad.storage import atomic_path

FORMAT = 1


def identity_of(request: Any) -> dict[str, Any]:
    """The fields of a job's request for its settings hash; states of a stage's first version carry no version."""
    return {key: value for key, value in vars(request).items() if (key, value) != ("version", 1)}


def settings_hash(settings: Mapping[str, Any]) -> str:
    """A short hash of everything that a training's numbers depend on."""
    text = json.dumps(settings, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def file_hash(path: Path) -> str:
    """A short hash of a file's content."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=8)).hexdigest()


def save(content: Mapping[str, Any], path: Path) -> None:
    """Writes tensors, numbers and text so that they can be loaded as weights only."""
    with atomic_path(path, alone=True) as temporary:
        torch.save(dict(content), temporary)


def load(path: Path) -> dict[str, Any]:
    """The content of a checkpoint; a missing or damaged file is an `InputError` that names it."""
    if not Path(path).is_file():
        raise InputError(f"{path}: no such checkpoint. Train the model first.")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise InputError(
            f"{path}: not a readable checkpoint ({type(error).__name__}). Delete it and train again."
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(f"{path}: not a checkpoint of brain-uad (format {FORMAT}).")
    return content


def load_state(path: Path, expected_hash: str) -> dict[str, Any] | None:
    """The training state to go on from, or None where there is none.

    The state of a finished training of other settings is passed over; that of an unfinished one is an
    `InputError`, because going on would waste it.
    """
    if not path.exists():
        return None
    state = load(path)
    if not {"settings_hash", "finished"} <= state.keys():
        raise InputError(
            f"{path}: weights alone, such as those of best.ckpt or model.ckpt; a training cannot go on from them. "
            f"Put the training state back, or delete the folder {path.parent} to train anew."
        )
    if state["settings_hash"] == expected_hash:
        return state
    if state["finished"]:
        return None
    raise InputError(
        f"{path}: an unfinished training with other settings (hash {state['settings_hash']}, now "
        f"{expected_hash}). Delete the folder {path.parent} to train anew, or restore the settings."
    )


def load_weights(path: Path) -> dict[str, Any]:
    """The weights and step of best.ckpt; a file that is missing or something else is an `InputError`."""
    if not path.is_file():
        raise InputError(
            f"{path}: the best weights are missing. Delete the folder {path.parent} to train anew."
        )
    content = load(path)
    if not {"weights", "step"} <= content.keys():
        raise InputError(
            f"{path}: a training state or something else, not the best weights. Put them back, or delete the "
            f"folder {path.parent} to train anew."
        )
    return content


def remove(folder: Path) -> None:
    """Removes the checkpoints of an earlier training, so that none is taken for one of the next."""
    for name in ("last.ckpt", "best.ckpt"):
        (folder / name).unlink(missing_ok=True)
