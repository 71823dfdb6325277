"""Reads exercises in the layout of the benchmark: `LANGUAGE/exercises/practice/NAME/` with `.meta/config.json`.

`config.json` says which files are the solution's, the tests' and the reference's. Nothing of the data is executed here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dgm.domain import UserError
from dgm.domain.records import lines

DOCS = ("introduction.md", "introduction.append.md", "instructions.md", "instructions.append.md")
NOT_SHOWN = ("LICENSE", "package.json", "babel.config.js", "gradlew", "gradlew.bat")
LARGEST = 1_500_000  #: bytes of a file: the test library that C++ exercises bring is one large header


@dataclass(frozen=True, slots=True)
class Exercise:
    """One exercise; all mappings go from a path in its folder to a text."""

    id: str
    language: str
    instructions: str
    files: Mapping[str, str]  #: what an agent gets: the stub and what it needs beside
    due: tuple[str, ...]
    reference: Mapping[str, str]  #: a solution, by the same paths as `due`
    tests: Mapping[str, str]  #: the test files and their helpers
    run: Sequence[str]  #: the test files


def read(data: Path, languages: frozenset[str]) -> list[Exercise]:
    """All exercises in these languages, by id. Raises UserError where there is none or one is not complete."""
    folders = _from_lines(data) if data.is_file() else _from_folder(data)
    found = [_exercise(name, files, data) for name, files in folders if name.split("/")[0] in languages]
    if not found:
        known = ", ".join(sorted(languages))
        raise UserError(
            f"{data}: no exercises in {known}; it must hold LANGUAGE/exercises/practice/NAME/.meta/config.json"
        )
    return sorted(found, key=lambda exercise: exercise.id)


def _from_folder(data: Path) -> Iterator[tuple[str, dict[str, str]]]:
    for config in sorted(data.glob("*/exercises/practice/*/.meta/config.json")):
        folder = config.parent.parent
        files = {}
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink() and path.stat().st_size <= LARGEST:
                try:
                    files[path.relative_to(folder).as_posix()] = path.read_text(encoding="utf-8")
                except (OSError, UnicodeDecodeError):
                    continue  # a picture, or a file that cannot be read: no part of an exercise
        yield f"{folder.relative_to(data).parts[0]}/{folder.name}", files


def _from_lines(data: Path) -> Iterator[tuple[str, dict[str, str]]]:
    for number, line in lines(data):
        try:
            paths = json.loads(line)["files"]
            language, _, _, name = PurePosixPath(next(iter(paths))).parts[:4]
            files = {str(PurePosixPath(*PurePosixPath(path).parts[4:])): str(text) for path, text in paths.items()}
        except (ValueError, KeyError, TypeError, StopIteration, AttributeError) as error:
            raise UserError(
                f"{data}:{number}: not an exercise with files LANGUAGE/exercises/practice/NAME/… ({error})"
            ) from None
        yield f"{language}/{name}", files


def _exercise(name: str, files: Mapping[str, str], source: Path) -> Exercise:
    where = f"{source}: {name}"
    try:
        listed = json.loads(files[".meta/config.json"])["files"]
        due, tests, examples = (tuple(map(str, listed[key])) for key in ("solution", "test", "example"))
        reference = _reference(due, examples, files)
        run = [path for path in tests if _is_test(path)]
        helpers = {path for path in (*tests, *listed.get("editor", ())) if path in files}
        helpers |= {path for path in files if path.startswith("test/")}  # the test library that C++ brings
        hidden = {path: files[path] for path in helpers}
        shown = {path: files[path] for path in due}
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{where}: not a complete exercise ({type(error).__name__}: {error})") from None
    if not run or not set(run) <= set(hidden):
        raise UserError(
            f"{where}: no test file, as *_test.py, *.spec.js, *_test.go, *_test.cpp, *Test.java or tests/*.rs"
        )
    for path, text in files.items():
        if not path.startswith(".") and path not in helpers and path not in NOT_SHOWN:
            shown[path] = text
    text = "\n\n".join(files[f".docs/{part}"].strip() for part in DOCS if f".docs/{part}" in files)
    return Exercise(name, name.split("/")[0], text, shown, due, reference, hidden, run)


def _reference(due: Sequence[str], examples: Sequence[str], files: Mapping[str, str]) -> dict[str, str]:
    """Each due file's text in the reference solution: as many examples go in order; of fewer each belongs to a file of
    its kind, and a file without one (such as a manifest) is right as it is. Raises ValueError unless all are used."""
    if len(due) == len(examples):
        return {path: files[example] for path, example in zip(due, examples, strict=True)}
    left, chosen = list(examples), {}
    for path in due:
        example = next((one for one in left if PurePosixPath(one).suffix == PurePosixPath(path).suffix), None)
        chosen[path] = files[path] if example is None else files[example]
        if example is not None:
            left.remove(example)
    if left or len(examples) == 0:
        raise ValueError("the examples do not belong to the solution's files")
    return chosen


def _is_test(path: str) -> bool:
    named = path.endswith(("_test.py", ".spec.js", "_test.go", "_test.cpp", "Test.java"))
    return named or (path.startswith("tests/") and path.endswith(".rs"))
