"""The base of every settings class: immutable, typed, and closed to unknown keys."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

# A name that becomes part of a file name: no separator, no space, nothing that a shell reads.
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]


def _at_home(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ValueError(f"{path.parts[0]} is nobody's home folder") from error


# A path in which ~ stands for the user's home.
UserPath = Annotated[Path, AfterValidator(_at_home)]

# Where the weights of pretrained networks lie unless a user says otherwise.
WEIGHTS_FOLDER = Path("resources/perceptual")


def each_once(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The same values; one that is there twice is an error."""
    if twice := [value for value in values if values.count(value) > 1]:
        raise ValueError(f"{twice[0]!r} is named twice")
    return values


# Different entries: one that is repeated would count twice.
EachOnce = AfterValidator(each_once)


class Settings(BaseModel):
    """A frozen group of settings in which an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
