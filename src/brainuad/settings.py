"""The base of every settings class: immutable, typed, and closed to unknown keys."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

# A name that becomes part of a file name: no separator, no space, nothing that a shell reads.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]

# Where the weights of pretrained networks lie unless a user says otherwise.
WEIGHTS_FOLDER = Path("resources/perceptual")


class Settings(BaseModel):
    """A frozen group of settings in which an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
