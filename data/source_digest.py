"""A digest of the source that a node depends on, so that an edit reruns that node and no other.

Starting from a few roots (`ImageClassification.preprocess`), follows every name they use to its definition in this
project's packages, and hashes the syntax trees met on the way. Nothing is imported, so a digest takes milliseconds,
and comments, layout and docstrings do not count.

Where it cannot be told which definition is meant, more is taken rather than less: a needless rerun costs minutes, a
stale result costs trust. Not seen are names built at run time and the source of installed libraries.

`self.hparams` is not followed: hyper-parameters count by value, and `hparams_used` says which.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

PACKAGES = ("trainer", "data", "components")
WHOLE = "*"
SCOPES = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def digest(module: str | Path, roots: Sequence[str]) -> str:
    """As `Sources.digest`, of the source as it is now."""
    return Sources().digest(module, roots)


def hparams_used(module: str | Path, roots: Sequence[str]) -> frozenset[str] | None:
    """As `Sources.hparams_used`, of the source as it is now."""
    return Sources().hparams_used(module, roots)


def package_digest(*packages: str) -> str:
    """SHA-256 (hex) over the names and bytes of all Python files of whole packages (dotted names).

    Raises:
      ValueError: a package has no Python file.
    """
    parts: list[str] = []
    for package in packages:
        files = {file.relative_to(place): file for place in _places(package) for file in place.rglob("*.py")}
        if not files:
            raise ValueError(f"no Python files in package {package!r}")
        for name, file in sorted(files.items()):
            parts += [f"{package}/{name.as_posix()}", hashlib.sha256(file.read_bytes()).hexdigest()]
    return _hash(parts)


class _Class(NamedTuple):
    module: _Module
    name: str


class _Definition(NamedTuple):
    """Statements that define `name` in `module`, in which `self` is an `owner` and `super()` starts after `holder`."""

    module: _Module
    name: str
    statements: tuple[ast.stmt, ...]
    owner: _Class | None = None
    holder: _Class | None = None


@dataclass
class _Uses:
    """What one definition uses: other definitions, and the hyper-parameters that it reads."""

    definitions: list[_Definition] = field(default_factory=list)
    hparams: set[str] = field(default_factory=set)
    hparams_whole: bool = False


class Sources:
    """This project's source, each file as it is when it is first met: for several digests at one time, which have most
    of what they follow in common."""

    def __init__(self) -> None:
        self._modules: dict[str, _Module | None] = {}
        self._uses: dict[tuple[_Definition, bool], _Uses] = {}
        self._orders: dict[_Class, list[_Class]] = {}

    def digest(self, module: str | Path, roots: Sequence[str]) -> str:
        """SHA-256 (hex) over the definitions that `roots` of `module` use, directly or through others.

        Args:
          module: a dotted name inside this project's packages, or the path of a Python file outside them.
          roots: names of functions, classes, assignments or `Class.attribute` (own or inherited) in that module.

        Raises:
          ValueError: no such module or root.
          SyntaxError: a file on the way is not valid Python.
        """
        return _hash(sorted({_text(definition) for definition in self._closure(module, roots)}))

    def hparams_used(self, module: str | Path, roots: Sequence[str]) -> frozenset[str] | None:
        """Names X read as `self.hparams.X` by `roots` and the methods they use; None where any of them may be read.

        Raises:
          ValueError: no such module or root.
        """
        used = list(self._closure(module, roots).values())
        return None if any(each.hparams_whole for each in used) else frozenset().union(*(each.hparams for each in used))

    def _closure(self, module: str | Path, roots: Sequence[str]) -> dict[_Definition, _Uses]:
        """All definitions reached from the roots, and what each uses."""
        if isinstance(module, Path):
            start: _Module | None = _parse(module.stem, module.read_text(encoding="utf-8"))
        else:
            start = self._find(module)
        if start is None:
            raise ValueError(f"no module {module!r} in this project's packages ({', '.join(PACKAGES)})")
        root_classes = {_Class(start, root.split(".")[0]) for root in roots if "." in root}
        waiting = [definition for root in roots for definition in self._root(start, root)]
        found: dict[_Definition, _Uses] = {}
        while waiting:
            definition = waiting.pop()
            if definition not in found:
                found[definition] = self._uses_of(definition, definition.owner in root_classes)
                waiting += found[definition].definitions
        return found

    def _uses_of(self, definition: _Definition, of_root: bool) -> _Uses:
        """What a definition uses; `of_root`: its `self` is of a class whose hyper-parameters are asked for."""
        key = definition, of_root
        if key not in self._uses:
            uses = _Uses()
            imports = _imports(definition.module.name, map(ast.walk, definition.statements))
            for statement in definition.statements:
                self._follow(statement, definition, of_root, imports, uses)
            if definition.name == WHOLE:
                uses.definitions += [each for name in imports for each in self._lookup(definition.module, [name], {})]
            uses.definitions = list(dict.fromkeys(uses.definitions))
            self._uses[key] = uses
        return self._uses[key]

    def _follow(
        self, node: ast.AST, here: _Definition, of_root: bool, imports: dict[str, set[str]], uses: _Uses
    ) -> None:
        chain = _chain(node)
        if not chain:
            for child in ast.iter_child_nodes(node):
                self._follow(child, here, of_root, imports, uses)
        elif here.owner and chain[0] in ("self", "cls"):
            stored = isinstance(getattr(node, "ctx", None), ast.Store)
            self._follow_self(chain[1:], here.owner, of_root, stored, uses)
        elif here.owner and here.holder and chain[0] == "super()":
            uses.definitions += self._attribute(here.owner, chain[1], after=here.holder)
        else:
            uses.definitions += self._lookup(here.module, chain, imports)

    def _follow_self(self, chain: list[str], owner: _Class, of_root: bool, stored: bool, uses: _Uses) -> None:
        if not chain:
            uses.hparams_whole |= of_root
            uses.definitions.append(_top_level(owner.module, owner.name))
        elif of_root and chain[0] == "hparams":
            uses.hparams.update(chain[1:2])
            uses.hparams_whole |= len(chain) == 1 and not stored
        else:
            uses.definitions += self._attribute(owner, chain[0])

    def _root(self, module: _Module, root: str) -> list[_Definition]:
        name, _, attribute = root.partition(".")
        known = name in module.bindings and (not attribute or module.class_named(name))
        if attribute and known:
            found = self._attribute(_Class(module, name), attribute)
        else:
            found = [_top_level(module, name)] if known else []
        if not found:
            raise ValueError(f"{module.name} defines no {root!r}")
        return found

    def _lookup(self, module: _Module, chain: list[str], local: dict[str, set[str]]) -> list[_Definition]:
        """Definitions of a global name and its attributes (`images.decode`) as seen from `module`."""
        head, *rest = chain
        targets = [target.split(".") for names in (local, module.imports) for target in names.get(head, ())]
        targets += [[*star.split(".")[:-1], head] for star in module.imports.get("*", ())]
        found = [definition for target in targets for definition in self._imported([*target, *rest])]
        return found + (self._own(module, chain) if head in module.bindings else [])

    def _imported(self, parts: list[str]) -> list[_Definition]:
        """Definitions of a fully dotted name; the whole module where it does not say which."""
        for cut in range(len(parts), 0, -1):
            if module := self._find(".".join(parts[:cut])):
                found = self._lookup(module, parts[cut:], {}) if parts[cut:] else []
                return found or [_Definition(module, WHOLE, tuple(module.body))]
        return []

    def _own(self, module: _Module, chain: list[str]) -> list[_Definition]:
        """Definitions of a name that `module` itself defines, and of its attributes."""
        if len(chain) == 2 and module.class_named(chain[0]):
            # Only a method can stand alone: any other attribute may be an instance of the class (a member of an Enum).
            found = self._attribute(_Class(module, chain[0]), chain[1])
            if any(isinstance(statement, ast.FunctionDef) for each in found for statement in each.statements):
                return found
        return [_top_level(module, chain[0])]

    def _attribute(self, owner: _Class, name: str, after: _Class | None = None) -> list[_Definition]:
        """The definition of `owner.name` in the class or its nearest base in the project, or none."""
        if owner not in self._orders:
            self._orders[owner] = list(dict.fromkeys(self._class_and_bases(owner)))
        order = self._orders[owner]
        for holder in order[order.index(after) + 1 if after in order else 0 :]:
            if statements := _class_bindings(holder).get(name):
                return [_Definition(holder.module, f"{holder.name}.{name}", tuple(statements), owner, holder)]
        return []

    def _class_and_bases(self, owner: _Class) -> Iterator[_Class]:
        node = owner.module.class_named(owner.name)
        if node is None:
            return
        yield owner
        for base in node.bases:
            chain = _chain(base.value if isinstance(base, ast.Subscript) else base)
            for definition in self._lookup(owner.module, chain, {}) if chain else ():
                if definition.owner and definition.owner != owner:
                    yield from self._class_and_bases(definition.owner)

    def _find(self, name: str) -> _Module | None:
        """The module of that dotted name, parsed once per content."""
        if name not in self._modules:
            self._modules[name] = self._read(name)
        return self._modules[name]

    @staticmethod
    def _read(name: str) -> _Module | None:
        if name.split(".")[0] not in PACKAGES:
            return None
        for place in _places(name):
            for file in (place.with_suffix(".py"), place / "__init__.py"):
                if file.is_file():
                    return _parse(name, file.read_text(encoding="utf-8"))
        return None


def _top_level(module: _Module, name: str) -> _Definition:
    owner = _Class(module, name) if module.class_named(name) else None
    return _Definition(module, name, tuple(module.bindings[name]), owner, owner)


@lru_cache(maxsize=16384)
def _text(definition: _Definition) -> str:
    """What of a definition is hashed."""
    dumps = [ast.dump(statement, annotate_fields=False) for statement in definition.statements]
    return "\n".join([f"{definition.module.name}:{definition.name}", *dumps])


@lru_cache(maxsize=4096)
def _class_bindings(holder: _Class) -> dict[str, list[ast.stmt]]:
    """A class's statements by the attribute they define; a method also defines each `self.x` that it sets."""
    bindings: dict[str, list[ast.stmt]] = defaultdict(list)
    node = holder.module.class_named(holder.name)
    for statement in node.body if node else ():
        attributes = (each for each in ast.walk(statement) if isinstance(each, ast.Attribute))
        set_here = {
            each.attr for each in attributes if isinstance(each.ctx, ast.Store) and _chain(each.value) == ["self"]
        }
        for name in _bound(statement) | set_here:
            bindings[name].append(statement)
    return bindings


class _Module:
    """One parsed file without its docstrings: top-level statements by the names that they define, and its imports."""

    def __init__(self, name: str, source: str) -> None:
        tree = ast.parse(source)
        for node in ast.walk(tree):
            if isinstance(node, (ast.Module, *SCOPES)) and ast.get_docstring(node, clean=False) is not None:
                node.body = node.body[1:]
        self.name = name
        self.body = tree.body
        self.bindings: dict[str, list[ast.stmt]] = defaultdict(list)
        for statement in tree.body:
            for bound in _bound(statement):
                self.bindings[bound].append(statement)
        self.imports = _imports(name, (ast.walk(each) for each in tree.body if not isinstance(each, SCOPES)))

    def class_named(self, name: str) -> ast.ClassDef | None:
        return next((each for each in self.bindings.get(name, ()) if isinstance(each, ast.ClassDef)), None)


def _bound(statement: ast.stmt) -> set[str]:
    """Names that a statement defines or may change: a bare call or an `if` counts for every name in it."""
    if isinstance(statement, SCOPES):
        return {statement.name}
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return set()
    inside: Iterable[ast.AST] = ast.walk(statement)
    if isinstance(statement, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        inside = (node for target in targets for node in ast.walk(target))
    nodes = [node for node in inside if isinstance(node, (ast.Name, *SCOPES))]
    return {node.id if isinstance(node, ast.Name) else node.name for node in nodes}


def _imports(module: str, walks: Iterable[Iterable[ast.AST]]) -> dict[str, set[str]]:
    """What each imported name stands for, fully dotted, for imports from this project's packages."""
    names: dict[str, set[str]] = defaultdict(set)
    for node in (node for walk in walks for node in walk):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.split(".")[0]].add(
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            package = ".".join(module.split(".")[: -node.level]) if node.level else ""
            source = ".".join(filter(None, (package, node.module)))
            for alias in node.names:
                names[alias.asname or alias.name].add(f"{source}.{alias.name}")
    return {name: kept for name, all_ in names.items() if (kept := {t for t in all_ if t.split(".")[0] in PACKAGES})}


def _chain(node: ast.AST) -> list[str]:
    """`a.b.c` as its names, `super().x` as `super()` and x; empty for any other expression."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        value = node.value
        if isinstance(value, ast.Call) and _chain(value.func) == ["super"]:
            return ["super()", node.attr]
        return [*chain, node.attr] if (chain := _chain(value)) else []
    return []


@lru_cache(maxsize=1024)
def _parse(name: str, source: str) -> _Module:
    return _Module(name, source)


def _places(name: str) -> list[Path]:
    """Where a dotted name may lie. Only the top package is asked of the import system, which runs no code."""
    top, *rest = name.split(".")
    spec = importlib.util.find_spec(top)
    locations = (spec.submodule_search_locations if spec else None) or ()
    return list(dict.fromkeys(Path(location, *rest).resolve() for location in locations))


def _hash(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
