"""A complete, small task under a new name, to be changed step by step: what `benison new-task` writes."""

from __future__ import annotations

import keyword
import re
from pathlib import Path

from data.errors import WrongUse

TEMPLATE = Path(__file__).parent / "templates" / "task.py.txt"
TASKS = Path(__file__).parents[1] / "trainer" / "tasks"

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)


def create(name: str, tasks: Path = TASKS) -> Path:
    """Writes `tasks`/<name>.py and returns its path.

    Raises:
      WrongUse: `name` is no free snake_case name.
    """
    class_name = "".join(word.capitalize() for word in name.split("_"))
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or keyword.iskeyword(class_name):
        raise WrongUse(
            f"{name!r} cannot name a task",
            "use small letters, digits and underscores, beginning with a letter, as in leaf_disease",
        )
    template = TEMPLATE.read_text(encoding="utf-8")
    if re.search(rf"\b{class_name}\b", template):
        raise WrongUse(f"{name!r} would hide {class_name}, which tasks use", "choose a name that says more")
    title = name.replace("_", " ").capitalize()
    path = tasks / f"{name}.py"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(template.replace("TaskName", class_name).replace("task_name", name).replace("Task title", title))
    except FileExistsError:
        raise WrongUse(f"{path} exists already", "choose another name, or change that file") from None
    return path
