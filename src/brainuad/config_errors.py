"""Turns validation errors into lines a user understands, with the nearest known name."""

import types
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from brainuad.errors import InputError

Location = tuple[int | str, ...]


class ConfigError(InputError):
    """All that is wrong with the configuration, one line each."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = list(lines)
        super().__init__("\n".join(self.lines))


class _UniqueKeys(yaml.SafeLoader):
    """YAML in which a key that is written twice is an error; YAML itself would keep the last one silently."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        written = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        for key in written:
            if written.count(key) > 1:
                raise yaml.MarkedYAMLError(None, None, f"the key {key!r} is written twice", node.start_mark)
        return node


def read_yaml(path: Path) -> Any:
    """The content of a YAML file; one that cannot be read, or repeats a key, is a `ConfigError`."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _UniqueKeys)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise ConfigError([f"{path}: not readable as YAML: {error}"]) from error


def read_config(path: Path) -> dict[str, Any]:
    """The content of `config.yaml`; a file that is no mapping of keys to values is a `ConfigError`."""
    if not path.is_file():
        raise ConfigError([f"{path}: no such file. Run this in the folder of config.yaml, or use --config."])
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise ConfigError([f"{path}: expected keys with values, such as `studies: [quickstart]`."])
    return content


def explain(error: ValidationError, where: str, model: type[BaseModel]) -> list[str]:
    """One line for each validation error: file, key, what is wrong, what was expected."""
    return [_explain_one(dict(item), where, model) for item in error.errors()]


def unknown_name(name: str, known: Iterable[str]) -> str:
    """`is not one of a, b, c`, with the nearest known name where one is near."""
    names = sorted(known)
    if not names:
        return "is unknown, for there are none."
    near = get_close_matches(name, names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"is not one of {', '.join(names)}.{hint}"


def _explain_one(item: dict[str, Any], where: str, model: type[BaseModel]) -> str:
    location: Location = item["loc"]
    key = ".".join(str(part) for part in location if not _is_tag(part, model))
    if item["type"] == "extra_forbidden":
        known = _keys_at(model, location[:-1])
        last = str(location[-1])
        return f"{where}: {key}: unknown key; {last!r} {unknown_name(last, known)}"
    if item["type"] == "missing":
        return f"{where}: {key}: this key is required."
    if item["type"] in ("literal_error", "union_tag_invalid"):
        expected = item["ctx"].get("expected") or item["ctx"].get("expected_tags", "")
        names = [part.strip(" '") for part in expected.replace(" or ", ", ").split(",")]
        value = item["ctx"].get("tag", item["input"])
        return f"{where}: {key} = {value!r} {unknown_name(str(value), names)}"
    return f"{where}: {key} = {_short(item['input'])}: {item['msg']}."


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _is_tag(part: int | str, model: type[BaseModel]) -> bool:
    return isinstance(part, str) and part.startswith("function-")


def _keys_at(model: Any, location: Location) -> set[str]:
    """The keys that may stand at `location` below `model`."""
    found: set[str] = set()
    for candidate in _models_at(model, location):
        found |= {field.alias or name for name, field in candidate.model_fields.items()}
    return found


def _models_at(annotation: Any, location: Location) -> list[type[BaseModel]]:
    """The settings classes that an annotation allows at a location."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not location:
            return [annotation]
        field = annotation.model_fields.get(str(location[0]))
        # A discriminated union puts its tag into the location: it is skipped.
        return _models_at(field.annotation, location[1:]) if field else _models_at(annotation, location[1:])
    arguments = get_args(annotation)
    if get_origin(annotation) in (Union, types.UnionType):
        return [found for argument in arguments for found in _models_at(argument, location)]
    if isinstance(get_origin(annotation), type) and issubclass(get_origin(annotation), Mapping):
        return _models_at(arguments[-1], location[1:])
    if get_origin(annotation) in (tuple, list):
        return _models_at(arguments[0], location[1:])
    return _models_at(arguments[0], location) if arguments else []
