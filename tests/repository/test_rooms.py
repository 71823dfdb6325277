"""Each folder of the kernel is a room: what it imports lies below it, and nothing is imported in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

FRONT = "dgm"
"""The front page names what lives in all rooms; that importing it loads none of them is tested beside the zones."""

CATCHERS = {  # file that catches whatever is raised -> whose code raised it, and what becomes of it
    "dgm/runner/worker.py": "an agent's: the status of its task",
    "dgm/domain/harness/peer.py": "an artifact's: goes over to the other side, as what it is",
    "dgm/domain/harness/unit.py": "an artifact's tests: an outcome",
    "dgm/domains/loaded.py": "a domain's: JudgeFailed",
    "dgm/selection/installed.py": "an installed selector's: UserError",
    "dgm/landscapes/files.py": "a person's own landscape: UserError",
    "dgm/testing/models.py": "a script's: told to whoever asked",
    "dgm/executor/ray.py": "the very class Exception is what Ray raises where its processes are too slow",
    "dgm/gateway/desk.py": "a thread's: raised again in the thread that it works for",
    "dgm/gateway/hosted.py": "what litellm trips over in an agent's request is that request's fault, not the run's end",
    "dgm/gateway/process.py": "a defect in the other process is raised in this one, with its traceback",
    "dgm/gateway/service.py": "settles what a call cost, however it ends; raised again",
}


@pytest.fixture(scope="module")
def modules(repository: Path) -> dict[str, Path]:
    """The kernel's modules by name."""
    named = {}
    for path in sorted((repository / "dgm").rglob("*.py")):
        parts = path.relative_to(repository).with_suffix("").parts
        named[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return named


@pytest.fixture(scope="module")
def edges(modules: dict[str, Path]) -> list[tuple[str, str]]:
    """Who imports whom, wherever in a file: lazily and for types alone as well."""
    return [(name, other) for name, path in modules.items() if name != FRONT for other in imported(name, path, modules)]


def imported(name: str, path: Path, modules: dict[str, Path]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            found = [full if full in modules else node.module for full in inner]
        else:
            continue
        yield from (other for other in found if other in modules and other != name)


def room(module: str, modules: dict[str, Path]) -> str:
    """The folder that a module lies in; a module beside the folders is a room of its own."""
    return module if modules[module].name == "__init__.py" or module.count(".") == 1 else module.rpartition(".")[0]


def in_order(edges: list[tuple[str, str]]) -> list[str]:
    """All that is named, each after what it needs. Raises CycleError, naming a circle, where there is one."""
    needs: dict[str, set[str]] = {}
    for name, other in edges:
        needs.setdefault(name, set()).add(other)
    return list(TopologicalSorter(needs).static_order())


def test_no_module_is_imported_in_a_circle(edges: list[tuple[str, str]], modules: dict[str, Path]) -> None:
    order = in_order(edges)
    assert order.index("dgm.errors") < order.index("dgm.archive") < order.index("dgm.loop") < order.index("dgm.cli")
    assert set(order) <= set(modules)


def test_no_two_rooms_need_each_other(edges: list[tuple[str, str]], modules: dict[str, Path]) -> None:
    """But for a room and one within it, which are one package."""
    between = {(room(a, modules), room(b, modules)) for a, b in edges}
    apart = [(a, b) for a, b in between if not f"{a}.".startswith(f"{b}.") and not f"{b}.".startswith(f"{a}.")]
    assert in_order(apart)


def test_only_the_command_line_draws_on_the_terminal(repository: Path) -> None:
    """A program that embeds a run gets no output that it did not ask for. Tables are laid out in `reporting`."""
    for path in (repository / "dgm").rglob("*.py"):
        where = path.relative_to(repository).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", "")]
            drawn = {str(name).split(".")[0] for name in names} & {"typer", "rich"}
            home = ("dgm/cli/", "dgm/reporting/") if drawn == {"rich"} else ("dgm/cli/",)
            assert not drawn or where.startswith(home), f"{where}: {drawn}"


def test_whatever_is_raised_is_caught_in_few_places_each_with_a_reason(repository: Path) -> None:
    for path in (repository / "dgm").rglob("*.py"):
        where = path.relative_to(repository).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler) and where not in CATCHERS:
                caught = {n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)} if node.type else {"all"}
                assert not caught & {"Exception", "BaseException", "all"}, f"{where}:{node.lineno}"
