"""Turns validation errors into lines a user understands, with the nearest known name."""

import types
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from brainuad.errors import InputError
from brainuad.settings import NAME_PATTERN

Location = tuple[int | str, ...]

NAME_RULE = "a name has letters, digits, '.', '_' and '-' alone, and begins with a letter or a digit"
LIST, MAPPING = "expected a list, such as [a, b]", "expected keys with values"
# By the type of pydantic's error.
EXPECTED = {
    **dict.fromkeys(("tuple_type", "list_type"), LIST),
    **dict.fromkeys(("dict_type", "model_type", "dataclass_type", "mapping_type"), MAPPING),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "expected a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "expected a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "expected true or false"),
    "string_type": "expected text",
    "invalid_key": "expected text as a key",
}


class ConfigError(InputError):
    """All that is wrong with the configuration, one line each."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = list(lines)
        super().__init__("\n".join(self.lines))


# The parser of libyaml, where PyYAML was built with it: several times as fast.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path) -> Any:
    """The content of a YAML file; one that cannot be read, or repeats a key, is a `ConfigError`."""
    try:
        loader = _Loader(path.read_text(encoding="utf-8"))
        try:
            root = loader.get_single_node()
            _check_keys(root, set())
            return None if root is None else loader.construct_document(root)
        finally:
            loader.dispose()
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise ConfigError([f"{path}: not readable as YAML: {error}"]) from error


def _check_keys(node: Any, checked: set[int]) -> None:
    """Raises `MarkedYAMLError` where a mapping has a key twice; YAML itself would keep the last one silently."""
    if id(node) in checked or not isinstance(node, yaml.CollectionNode):
        return
    checked.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for child in node.value:
            _check_keys(child, checked)
        return
    written = [str(key.value) for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
    for name in written:
        if written.count(name) > 1:
            raise yaml.MarkedYAMLError(None, None, f"the key {name!r} is written twice", node.start_mark)
    for key, value in node.value:
        _check_keys(key, checked)
        _check_keys(value, checked)


def read_config(path: Path) -> dict[str, Any]:
    """The content of `config.yaml`; a file that is no mapping of keys to values is a `ConfigError`."""
    if not path.is_file():
        raise ConfigError([f"{path}: no such file. Run this in the folder of config.yaml, or use --config."])
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise ConfigError([f"{path}: expected keys with values, such as `studies: [quickstart]`."])
    return content


def explain(error: ValidationError, where: str, model: Any) -> list[str]:
    """One line for each validation error: file, key, what is wrong, what was expected.

    Several ways to read one wrong value are one error, and a list is not also too short because of it.
    """
    items: list[dict[str, Any]] = [dict(item) for item in error.errors()]
    places = [item["loc"] for item in items]
    lines: dict[str, list[str]] = {}
    for item in items:
        inner = any(
            len(place) > len(item["loc"]) and place[: len(item["loc"])] == item["loc"] for place in places
        )
        if item["type"] == "too_short" and inner:
            continue
        lines.setdefault(_key(item["loc"], model), []).append(_explain_one(item, where, model))
    return [line for found in lines.values() for line in _without_alternatives(found)]


def _without_alternatives(lines: list[str]) -> list[str]:
    """The lines on one key: an expectation is shown once, whatever else the value might have been."""
    expected = [line for line in lines if ": expected " in line]
    if len(expected) < 2:
        return list(dict.fromkeys(lines))
    wanted = list(dict.fromkeys(line.split(": expected ", 1)[1].removesuffix(".") for line in expected))
    first = f"{expected[0].split(': expected ', 1)[0]}: expected {' or '.join(wanted)}."
    return [first, *dict.fromkeys(line for line in lines if line not in expected)]


def unknown_name(name: str, known: Iterable[str]) -> str:
    """`is not one of a, b, c`, with the nearest known name where one is near."""
    names = sorted(known)
    if not names:
        return "is unknown, for there are none."
    near = get_close_matches(name, names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"is not one of {', '.join(names)}.{hint}"


def _explain_one(item: dict[str, Any], where: str, model: Any) -> str:
    location: Location = item["loc"]
    key = _key(location, model)
    if item["type"] == "extra_forbidden":
        known = _keys_at(model, location[:-1])
        last = str(location[-1])
        return f"{where}: {key}: unknown key; {last!r} {unknown_name(last, known)}"
    if item["type"] == "missing":
        return f"{where}: {key}: this key is required."
    if item["type"] == "union_tag_not_found":
        return f"{where}: {key}.{item['ctx']['discriminator'].strip(chr(39))}: this key is required."
    if item["type"] in ("literal_error", "union_tag_invalid"):
        expected = item["ctx"].get("expected") or item["ctx"].get("expected_tags", "")
        names = [part.strip(" '") for part in expected.replace(" or ", ", ").split(",")]
        value = item["ctx"].get("tag", item["input"])
        inner = f".{item['ctx']['discriminator'].strip(chr(39))}" if "tag" in item["ctx"] else ""
        return f"{where}: {key}{inner} = {value!r} {unknown_name(str(value), names)}"
    if item["type"] == "value_error":  # a check of ours, which says what is wrong and where in the value
        return f"{where}: {key}: {item['msg'].removeprefix('Value error, ')}."
    if location[-1:] == ("[key]",) or item.get("ctx", {}).get("pattern") == NAME_PATTERN:
        return f"{where}: {key}: {_short(item['input'])} is no name: {NAME_RULE}."
    return f"{where}: {key} = {_short(item['input'])}: {_expected(item)}."


def _expected(item: dict[str, Any]) -> str:
    """What a value should have been, in the words of a YAML file."""
    if item["type"] in ("too_short", "too_long"):
        bound = "at least" if item["type"] == "too_short" else "at most"
        count = item["ctx"].get("min_length", item["ctx"].get("max_length"))
        return f"expected {bound} {count} {'entry' if count == 1 else 'entries'}"
    return EXPECTED.get(item["type"], item["msg"])


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _key(location: Location, model: Any) -> str:
    """The key of a location as it is written in the file: without what tells the members of a union apart."""
    parts, place = [], model
    rest = list(location)
    while rest:
        if _is_choice(place):
            tag = rest.pop(0)
            place = _chosen(place, str(tag))
            continue
        part = rest.pop(0)
        if isinstance(part, str) and part.startswith("function-"):
            continue
        place = _below(place, part)
        parts.append(str(part))
    return ".".join(part for part in parts if part != "[key]")


def _members(annotation: Any) -> list[Any]:
    """The types of a union, without None; of any other annotation, itself."""
    if get_origin(annotation) is Annotated:
        return _members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [member for member in get_args(annotation) if member is not type(None)]
    return [annotation]


def _is_choice(annotation: Any) -> bool:
    """Whether pydantic puts the chosen member into the locations below an annotation."""
    return len(_members(annotation)) > 1


def _chosen(annotation: Any, tag: str) -> Any:
    """The member of a union that a tag of a location stands for; None where that cannot be told."""
    for member in _members(annotation):
        fields = getattr(member, "model_fields", {})
        if any(tag in get_args(field.annotation) for field in fields.values()):
            return member
    return None


def _below(annotation: Any, part: int | str) -> Any:
    """The annotation of a key or an entry."""
    (member,) = _members(annotation)
    if fields := getattr(member, "model_fields", None):
        field = fields.get(str(part))
        return field.annotation if field else None
    arguments = get_args(member)
    if isinstance(get_origin(member), type) and issubclass(get_origin(member), Mapping):
        return arguments[-1]
    return arguments[0] if arguments else None


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
