"""The errors people see: what was wrong, where, and what to do about it. Each carries its exit code."""

from __future__ import annotations

FIX_MARK = "\n  -> "
"""Stands between message and fix where an error is one text."""


class BenisonError(Exception):
    """A failure explained to a person: `message` says what and where, `fix` says what to do next.

    Whatever else is raised is a defect of ours and is shown with its own frame.
    """

    exit_code = 1
    _tagged_with_step = (
        True  # Beam appends "[while running ...]" to what it thinks lacks it, and drops the fix on the way
    )

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message}{FIX_MARK}{self.fix}" if self.fix else self.message

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.message, self.fix)


class WrongUse(BenisonError):
    """A command line, setting or name that cannot be understood."""

    exit_code = 2


class DataRefused(BenisonError):
    """Data that must not be trained on: too many bad records, anomalies, a path that leaves its folder."""

    exit_code = 4


class BadValue(ValueError):
    """One value that its column cannot take. The text is the reason shown to people and kept in the quarantine."""


class BadFile(BadValue):
    """A file that is not read. `attack` is true when reading it would have left the data folder."""

    def __init__(self, reason: str, attack: bool = False) -> None:
        super().__init__(reason)
        self.attack = attack
