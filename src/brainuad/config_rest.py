"""What can be read of a wrong configuration, so that errors elsewhere are shown together with it."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from pydantic import ValidationError

from brainuad.config import Config

Place = tuple[int | str, ...]


def rest_of(config: Mapping[str, Any]) -> tuple[Config, set[str]]:
    """The configuration with the defaults in place of its wrong values, and the data sets that had some.

    A wrong data set keeps its name, so that studies find it. Without any data set or study that can be read there is
    no study to look at.
    """
    content = deepcopy(dict(config))
    wrong: set[str] = set()
    while places := _wrong_places(content):
        wrong |= {str(place[1]) for place in places if place[:1] == ("datasets",) and len(place) > 1}
        _remove(content, places)
    settings = Config.model_validate(content)
    readable = "datasets" in content or "datasets" not in config
    if "studies" in config or not readable:
        names = _texts(config.get("studies")) if readable else ()
        settings = settings.model_copy(update={"studies": names})
    return settings, wrong


def _wrong_places(content: Mapping[str, Any]) -> list[Place]:
    try:
        Config.model_validate(content)
    except ValidationError as error:
        return [item["loc"] for item in error.errors()]
    return []


def _remove(content: dict[str, Any], places: Iterable[Place]) -> None:
    """Takes away what is wrong, each value as deep as the content goes, and the last ones of a list first.

    Every call takes away something, or makes a data set empty, which is a phantom.
    """
    found = dict.fromkeys(_existing(content, place) for place in places)
    if not all(found):
        content.clear()
        return
    for place in reversed(found):
        if _existing(content, place) != place:
            continue  # gone with another one
        parent: Any = content
        for part in place[:-1]:
            parent = parent[part]
        if place[:-1] == ("datasets",) and parent[place[-1]] != {}:
            parent[place[-1]] = {}
        else:
            del parent[place[-1]]


def _existing(content: Any, place: Place) -> Place:
    """The part of a location that the content has; the rest are words of the schema."""
    part: Any
    for depth, part in enumerate(place):
        if not (isinstance(content, dict) and part in content) and not (
            isinstance(content, list) and isinstance(part, int) and part < len(content)
        ):
            return place[:depth]
        content = content[part]
    return place


def _texts(names: Any) -> tuple[str, ...]:
    """The names of a list, each once; a single text is a list of one."""
    listed = [names] if isinstance(names, str) else names if isinstance(names, list | tuple) else []
    return tuple(dict.fromkeys(name for name in listed if isinstance(name, str)))
