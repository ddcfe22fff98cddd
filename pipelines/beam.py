"""Beam as this project runs it: the pipeline options, and what is changed in Beam itself.

A node's Beam pipeline has hundreds of steps but, on data that fits a machine, few seconds of real work: most of its
time goes into building and starting it. What is here leans on internals of Beam 2.64 and changes no result.
"""

from __future__ import annotations

import functools
import os
import re
import shlex
import types
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from data.errors import FIX_MARK, BenisonError, WrongUse

BEAM_ARGS = [
    "--direct_running_mode=in_memory",
    # Without one of the flags that name the workers' software, TFX builds a source distribution of itself for each
    # node, to ship to workers that the in-memory runner does not have: 1 to 3 s a node.
    "--sdk_container_image=in-process",
    "--pickle_library=cloudpickle",  # a third faster than dill on the thousands of small objects that are pickled
    "--no_pipeline_type_check",  # TFX's pipelines were checked when TFX was tested
]

_ENGINES = {"portable": "PortableRunner", "flink": "FlinkRunner", "spark": "SparkRunner", "dataflow": "DataflowRunner"}


@dataclass(frozen=True)
class BeamSettings:
    """What `--set beam.NAME=VALUE` may say of where FolderExampleGen, StatisticsGen, Transform and Evaluator compute.

    An engine's workers must see the workspace and the data at the same paths, and run this project's software.
    """

    runner: Literal["direct", "portable", "flink", "spark", "dataflow"] = "direct"
    """`direct` is inside the node; `portable` is any Beam job service."""
    workers: int | None = field(default=None, metadata={"min": 1})
    """Processes of the direct runner, at most: where None, as many as there are cores; fewer where memory is short, and
    one where the data is small (`pipelines.beam_workers`). For an engine, how many parts the data folder is read in."""
    options: str = ""
    """Further pipeline options, as `--job_endpoint=HOST:PORT --environment_type=EXTERNAL`."""

    @property
    def processes(self) -> int:
        """How many of this machine's processes may compute."""
        if self.runner != "direct":
            return 1
        return self.workers or len(os.sched_getaffinity(0))

    @property
    def shards(self) -> int | None:
        """How many parts the data folder is read in; None for as many as suit the data, however many processes."""
        return None if self.runner == "direct" else self.workers


def beam_args(settings: BeamSettings, image: str) -> list[str]:
    """Beam's pipeline options. `image` is the container image that an engine's workers run, where they run one.

    Raises:
      WrongUse: `options` cannot be split into options, or lacks what the runner cannot do without.
    """
    try:
        further = shlex.split(settings.options)
    except ValueError as error:
        raise WrongUse(f"--set beam.options={settings.options}: {error}", "close the quotes") from None
    stray = [text for text in further if not text.startswith("--")]
    if stray:
        raise WrongUse(f"--set beam.options: {stray[0]!r} is no option", "write each as --NAME=VALUE")
    if settings.runner == "direct":
        return [*BEAM_ARGS, *further]
    if settings.runner == "portable" and not any(text.startswith("--job_endpoint") for text in further):
        raise WrongUse(
            "beam.runner=portable without a job service",
            'name it: --set beam.options="--job_endpoint=HOST:PORT"',
        )
    return [f"--runner={_ENGINES[settings.runner]}", f"--sdk_container_image={image}", *BEAM_ARGS[2:], *further]


def adapt_beam() -> None:
    """Makes Beam, in this process, work as this module and `pipelines.beam_parts` say."""
    from pipelines.beam_parts import read_in_parts

    remember_dofn_specs()
    remember_option_names()
    take_folders_literally()
    read_in_parts()


_QUOTED_PATTERN = (
    r"^(?:[\w.]+\.)?(?P<kind>{}): (?P<text>.*?)(?=\n\n(?:During handling|The above exception)|\n[\w.]*Error: |\Z)"
)
"""A BenisonError at the end of a traceback in a text."""


def refusal_in(error: Exception) -> BenisonError | None:
    """The BenisonError that a worker in another process raised, of which Beam hands over only a traceback's text."""
    if isinstance(error, BenisonError):
        return error
    kinds = {kind.__name__: kind for kind in _kinds(BenisonError)}
    quoted = re.compile(_QUOTED_PATTERN.format("|".join(kinds)), re.DOTALL | re.MULTILINE)
    found = list(quoted.finditer(str(error)))
    if not found:
        return None
    message, arrow, fix = found[-1]["text"].strip().rpartition(FIX_MARK)
    return kinds[found[-1]["kind"]](message, fix) if arrow else kinds[found[-1]["kind"]](fix)


def _kinds(kind: type[BenisonError]) -> Iterator[type[BenisonError]]:
    yield kind
    for special in kind.__subclasses__():
        yield from _kinds(special)


@functools.cache
def take_folders_literally() -> None:
    """Makes Beam, in this process, take a pattern's folder by its name where there is a folder of that name.

    Beam's readers and writers put `*` behind a folder's path and have the whole looked up as a pattern, in which a `[`
    or a `?` of the path itself cannot be quoted: a workspace called `run [2]` would seem to be empty.
    """
    from apache_beam.io.filesystem import MatchResult
    from apache_beam.io.localfilesystem import LocalFileSystem

    look = LocalFileSystem.match

    def match(self: Any, patterns: Sequence[str], limits: Sequence[int | None] | None = None) -> list[Any]:
        paired = zip(patterns, limits or [None] * len(patterns), strict=True)
        return [one(self, pattern, limit) for pattern, limit in paired]

    def one(self: Any, pattern: str, limit: int | None) -> Any:
        folder, name = os.path.split(pattern)
        if not _PATTERN_SIGNS & set(folder) or not os.path.isdir(folder):
            return look(self, [pattern], [limit])[0]
        if name and not _PATTERN_SIGNS & set(name):
            return MatchResult(pattern, [self.metadata(pattern)] if os.path.exists(pattern) else [])
        wanted = re.compile(self.translate_pattern(name or "*"))
        files = [entry.path for entry in os.scandir(folder) if entry.is_file() and wanted.match(entry.name)]
        return MatchResult(pattern, [self.metadata(path) for path in sorted(files)[:limit]])

    LocalFileSystem.match = match


_PATTERN_SIGNS = frozenset("[*?")


@functools.cache
def remember_dofn_specs() -> None:
    """Makes Beam look for the state and timers of each class of DoFn once.

    It goes through all methods of each of some hundred DoFns by `inspect.signature`, several times over: a tenth of
    the time of Transform and of StatisticsGen. What it finds depends on the methods of the class alone, unless an
    instance was given methods of its own.
    """
    from apache_beam.transforms import userstate

    found: weakref.WeakKeyDictionary[type, Any] = weakref.WeakKeyDictionary()
    look = userstate.get_dofn_specs

    def get_dofn_specs(dofn: Any) -> Any:
        if any(isinstance(value, types.MethodType) for value in vars(dofn).values()):
            return look(dofn)
        kind = type(dofn)
        if kind not in found:
            found[kind] = look(dofn)
        return found[kind]

    userstate.get_dofn_specs = get_dofn_specs


@functools.cache
def remember_option_names() -> None:
    """Makes Beam build the parser of each group of pipeline options once, where it only needs to know their names.

    Each of some hundred steps asks for several views of the options, and a view parses the command line, although the
    values lie in the options already: a twentieth of the time of Transform.
    """
    from apache_beam.options.pipeline_options import PipelineOptions

    found: dict[type[Any], Any] = {}
    look = PipelineOptions.view_as

    def view_as(self: Any, kind: type[Any]) -> Any:
        names = found.get(kind)
        if names is None or not all(name in self._all_options for name in vars(names)):
            view = look(self, kind)
            found[kind] = view._visible_options
            return view
        view = object.__new__(kind)
        view._flags, view._visible_options, view._all_options = self._flags, names, self._all_options
        return view

    PipelineOptions.view_as = view_as
