"""What a run may be told: by the command line, by a YAML file (`--config`), or by both.

Every run stores its settings as such a file. Hyper-parameters come as texts, `NAME=VALUE`, and are converted by the
types of the fields of the task's `HParams`, so that a task's dataclass is all that has to be written.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import shlex
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import yaml

from components.workers.cluster_settings import ClusterSettings
from data.errors import WrongUse
from data.folders.verdict import MAX_QUARANTINED, MAX_SKEW
from pipelines.beam import BeamSettings
from pipelines.records.workspace import DEFAULT_WORKSPACE, named
from trainer.task import HParams

H = TypeVar("H", bound=HParams)


@dataclass(frozen=True)
class RunSettings:
    """One run of one task. `data` None stands for the task's default data."""

    task: str
    data: str | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)
    steps: int | None = None
    limit: int | None = None
    workers: int = 1
    from_node: str | None = None
    to_node: str | None = None
    fresh: bool = False
    workspace: Path = DEFAULT_WORKSPACE

    def command(self) -> str:
        """What runs all nodes with these settings on this machine; those that have finished are answered from disk."""
        words = ["benison", "run", self.task, *(["--data", self.data] if self.data else [])]
        for name, value in self.overrides.items():
            words += ["--set", f"{name}={value}"]
        numbers = {"steps": self.steps, "limit": self.limit, "workers": self.workers if self.workers > 1 else None}
        for name, number in numbers.items():
            words += [] if number is None else [f"--{name}", str(number)]
        return shlex.join(words) + named(self.workspace)

    def to_yaml(self) -> str:
        """All settings as a file that `read_config` takes back."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        values |= {"overrides": dict(self.overrides), "workspace": str(self.workspace)}
        written = {_KEYS.get(name, name): value for name, value in values.items()}
        return yaml.safe_dump(written, sort_keys=False, allow_unicode=True)


@dataclass(frozen=True)
class RunOptions:
    """What `--set` may say beside a task's hyper-parameters."""

    max_quarantined: float = field(default=MAX_QUARANTINED, metadata={"min": 0.0, "max": 1.0})
    """Share of bad records above which the data is refused."""
    max_skew: float = field(default=MAX_SKEW, metadata={"min": 0.0, "max": 1.0})
    """How far the share of a class in train may lie from its share in eval."""
    split_by: str = ""
    """Column by which a folder that is not split is split, in place of the task's own; `content` is by a hash. A series
    is split by its time or, by its name, into whole series."""
    gate: float | None = None
    """Bound on the task's key metric in place of the task's own."""
    beam: BeamSettings = BeamSettings()
    cluster: ClusterSettings = ClusterSettings()


def parse_overrides(pairs: Sequence[str]) -> dict[str, str]:
    """`NAME=VALUE` texts as a dictionary; of two with one name, the later holds. Raises WrongUse."""
    overrides = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise WrongUse(f"--set {pair}: expected NAME=VALUE", "for example --set epochs=3")
        overrides[name.strip()] = value.strip()
    return overrides


def read_config(path: Path) -> dict[str, Any]:
    """The settings that a YAML file gives, by the names of `RunSettings`; those that are null are left out.

    Raises:
      WrongUse: there is no such file, it is not a YAML mapping, or a key or a value's type is wrong.
    """
    content = _yaml_mapping(path)
    settings = {}
    for key, value in content.items():
        if key not in _TYPES:
            raise WrongUse(f"{path}: there is no setting {key!r}", _suggestion(str(key), _TYPES))
        if value is None:
            continue
        name = _FIELDS.get(key, key)
        settings[name] = _overrides(path, value) if name == "overrides" else _setting(path, key, value)
    return settings


def settings_of_keywords(
    function: str, task: str, data: str | Path | None, workspace: Path, keywords: Mapping[str, Any]
) -> RunSettings:
    """Settings that code gives to `function` by keyword; those that are no option of a run are overrides.

    Raises:
      WrongUse: an option is not of its type.
    """
    options = {name: value for name, value in keywords.items() if name in _OPTIONS and value is not None}
    checked = {name: _setting(function, name, value) for name, value in options.items()}
    overrides = {name: _as_text(value) for name, value in keywords.items() if name not in _OPTIONS}
    return RunSettings(task, str(data) if data is not None else None, overrides, workspace=workspace, **checked)


def merge(config: Mapping[str, Any], command_line: Mapping[str, Any]) -> RunSettings:
    """Settings of a file and of the command line, which wins where it gave something; overrides merge by name."""
    given = {name: value for name, value in command_line.items() if value is not None}
    overrides = {**config.get("overrides", {}), **given.get("overrides", {})}
    return RunSettings(**{**config, **given, "overrides": overrides})


def apply_overrides(hparams_type: type[H], overrides: Mapping[str, str]) -> tuple[H, RunOptions]:
    """Hyper-parameters and options with the overrides in place of their defaults.

    Bounds are those in the fields' metadata, `min` and `max`. A field of `RunOptions` that is itself a dataclass gives
    its fields their names: `cluster.image`.

    Raises:
      WrongUse: there is no such name, or its value is not of the field's type or out of its bounds.
    """
    groups: dict[str, Any] = {
        name: kind for name, kind in typing.get_type_hints(RunOptions).items() if is_dataclass(kind)
    }
    owners: dict[str, type] = {"hparams": hparams_type, "options": RunOptions, **groups}
    known = {
        f"{group}.{f.name}" if group in groups else f.name: (group, f)
        for group, owner in owners.items()
        for f in dataclasses.fields(owner)
        if f.name not in groups
    }
    chosen: dict[str, dict[str, Any]] = {group: {} for group in owners}
    for name, text in overrides.items():
        if name not in known:
            raise WrongUse(f"--set {name}={text}: there is no setting {name!r}", _suggestion(name, known))
        group, its_field = known[name]
        kind = typing.get_type_hints(owners[group])[its_field.name]
        chosen[group][its_field.name] = _field_value(name, its_field, kind, text)
    options = {group: owners[group](**chosen[group]) for group in groups}
    return hparams_type(**chosen["hparams"]), RunOptions(**chosen["options"], **options)


def check_local(hparams_type: type[H], overrides: Mapping[str, str]) -> H:
    """The hyper-parameters. Raises WrongUse if an override is misspelt, or means nothing to a run on this machine."""
    hparams, _ = apply_overrides(hparams_type, overrides)
    for name in overrides:
        if name.startswith("cluster."):
            raise WrongUse(f"--set {name}: a run on this machine has no cluster", "it is for compile and submit")
    return hparams


# --- texts to fields ---


class _NotOfType(ValueError):
    pass


def _field_value(name: str, its_field: Any, kind: Any, text: str) -> Any:
    lowest, highest = its_field.metadata.get("min", -math.inf), its_field.metadata.get("max", math.inf)
    bounds = f", at least {lowest:g}" if lowest > -math.inf else ""
    bounds += f", at most {highest:g}" if highest < math.inf else ""
    try:
        value = _converted(text, kind)
    except _NotOfType:
        value = math.nan  # NaN lies within no bounds
    if isinstance(value, (int, float)) and not lowest <= value <= highest:
        raise WrongUse(
            f"--set {name}={text}: expected {_type_name(kind)}{bounds}", f"its default is {its_field.default}"
        )
    return value


def _converted(text: str, kind: Any) -> Any:
    """`text` as a value of the annotation `kind`. Raises _NotOfType, and TypeError for kinds that no text can give."""
    if get_origin(kind) in (Union, types.UnionType):
        return _first_that_fits(text, get_args(kind))
    if get_origin(kind) is Literal:
        return _choice(text, {str(choice): choice for choice in get_args(kind)})
    if kind is types.NoneType:
        return _choice(text.lower(), {"none": None})
    if kind is bool:
        return _choice(text.lower(), {"true": True, "false": False})
    if kind is str:
        return text
    if kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            raise _NotOfType from None
        if not math.isfinite(value):
            raise _NotOfType
        return value
    raise TypeError(f"hyper-parameters cannot be of type {kind}; use int, float, bool, str, Literal or X | None")


def _first_that_fits(text: str, kinds: Iterable[Any]) -> Any:
    for kind in sorted(kinds, key=lambda kind: kind is not types.NoneType):  # a str would take "none"
        try:
            return _converted(text, kind)
        except _NotOfType:
            continue
    raise _NotOfType


def _choice(text: str, choices: Mapping[str, Any]) -> Any:
    if text not in choices:
        raise _NotOfType
    return choices[text]


def _type_name(kind: Any) -> str:
    if get_origin(kind) in (Union, types.UnionType):
        return " or ".join(_type_name(part) for part in get_args(kind))
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(str(choice) for choice in get_args(kind))
    return {
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        str: "a text",
        types.NoneType: "none",
        dict: "a mapping of names to values",
    }[kind]


def _suggestion(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=2)
    return f"did you mean {' or '.join(close)}?" if close else f"there are: {', '.join(known)}"


# --- the file ---

_KEYS = {"overrides": "set"}
_FIELDS = {key: name for name, key in _KEYS.items()}
_TYPES: dict[str, type] = {
    "task": str,
    "data": str,
    "set": dict,
    "steps": int,
    "limit": int,
    "workers": int,
    "from_node": str,
    "to_node": str,
    "fresh": bool,
    "workspace": str,
}
_OPTIONS = ("steps", "limit", "workers", "fresh")
"""What code may give to a pipeline beside overrides."""


def _yaml_mapping(path: Path) -> dict[Any, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WrongUse(f"{path}: there is no such file", "give the path of a YAML file to --config") from None
    except OSError as error:
        raise WrongUse(f"{path} cannot be read: {error.strerror}", "give a YAML file to --config") from None
    except UnicodeDecodeError as error:
        raise WrongUse(f"{path} is not UTF-8 (byte {error.start + 1})", "save it as UTF-8") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path}, line {mark.line + 1}" if mark else str(path)
        raise WrongUse(f"{where}: {error.problem}", "write `name: value`, one setting per line") from None
    except yaml.YAMLError as error:
        raise WrongUse(f"{path} is not YAML: {str(error).splitlines()[0]}", "save it as plain text") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise WrongUse(f"{path}, line 1: expected settings, got {content!r:.60}", "write `name: value`, one per line")
    return content


def _setting(where: Path | str, key: str, value: Any) -> Any:
    expected = _TYPES[key]
    if type(value) is not expected:  # bool is a kind of int, but not here
        fix = "put the value in quotes" if expected is str else f"give {_type_name(expected)}"
        raise WrongUse(f"{where}: {key} is {value!r:.60}; expected {_type_name(expected)}", fix)
    if isinstance(value, int) and not isinstance(value, bool) and value < 1:
        raise WrongUse(f"{where}: {key} is {value}; expected at least 1", "give a larger number, or leave it out")
    return Path(str(value)) if key == "workspace" else value


def _overrides(path: Path, value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise WrongUse(
            f"{path}: set is {value!r:.60}; expected {_type_name(dict)}", "write `set:` and below it `  name: value`"
        )
    for name, one in value.items():
        if isinstance(one, (dict, list, set)):
            raise WrongUse(f"{path}: set: {name} is {one!r:.60}; expected one value", "write `name: value`")
    return {str(name): _as_text(one) for name, one in value.items()}


def _as_text(value: Any) -> str:
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)
