"""The public names: each is there, typed and documented, and looking at them costs nothing."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from enum import EnumMeta
from importlib.metadata import version
from pathlib import Path
from typing import get_type_hints

import pytest

import dgm
from tests.cli.worlds import environment


def imported_for_types(repository: Path) -> dict[str, str]:
    """Name to module, as a type checker reads `dgm/__init__.py`."""
    tree = ast.parse((repository / "dgm" / "__init__.py").read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    lines = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(line.module) for line in lines for alias in line.names}


def test_what_a_type_checker_sees_is_what_is_there(repository: Path) -> None:
    typed = imported_for_types(repository)
    assert sorted(typed) == dgm.__all__ == sorted(set(dgm.__all__))
    for name, module in typed.items():
        assert getattr(dgm, name) is getattr(__import__(module, fromlist=[name]), name)


@pytest.mark.parametrize("name", dgm.__all__)
def test_a_public_name_explains_itself(name: str) -> None:
    value = getattr(dgm, name)
    text = inspect.getdoc(value) or ""
    assert text
    assert not text.startswith(f"{name}(")  # what a dataclass without a sentence has
    if inspect.isfunction(value):
        assert set(get_type_hints(value)) == {*inspect.signature(value).parameters, "return"}
    else:
        assert inspect.isclass(value)


def test_a_method_of_an_archive_explains_itself() -> None:
    methods = [member for name, member in vars(dgm.Archive).items() if not name.startswith("_")]
    assert len(methods) > 20
    for method in methods:
        assert inspect.getdoc(getattr(method, "__func__", method))


def test_every_type_in_a_public_signature_is_public() -> None:
    """Nobody has to reach into a private module to name what a public function takes or gives."""
    for function in (dgm.evolve, dgm.resume, dgm.open_archive, dgm.final_table):
        for hint in get_type_hints(function).values():
            for part in (hint, *getattr(hint, "__args__", ())):
                if getattr(part, "__module__", "").startswith("dgm") and not isinstance(part, EnumMeta):
                    assert part.__name__ in dgm.__all__


@pytest.mark.slow
def test_the_package_says_that_it_is_typed_and_hides_no_misspelling(repository: Path, tmp_path: Path) -> None:
    assert (repository / "dgm" / "py.typed").is_file()
    program = tmp_path / "program.py"
    program.write_text("import dgm\nreveal_type(dgm.resume('mine'))\ndgm.evlove('mine')\n")
    argv = [sys.executable, "-m", "mypy", "--follow-imports=silent", "--config-file=", "--cache-dir", str(tmp_path)]
    done = subprocess.run([*argv, str(program)], cwd=repository, capture_output=True, text=True, check=False)
    assert re.search(r'Revealed type is "(builtins\.)?str"', done.stdout)
    assert 'Module has no attribute "evlove"' in done.stdout


def test_no_public_name_is_hidden_by_a_module(repository: Path) -> None:
    """`import dgm.loop` binds `dgm.loop`; a public name that a module has as well would change under its user."""
    modules = {path.stem for path in (repository / "dgm").iterdir()}
    assert not modules & set(dgm.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = dgm.nothing  # type: ignore[attr-defined]
    assert set(dgm.__all__) <= set(dir(dgm))


def test_the_version_is_the_installed_one() -> None:
    assert dgm.__version__ == version("dgm")


def test_looking_up_one_name_does_not_load_the_others() -> None:
    code = (
        "import sys, dgm; dgm.UserError; print({'numpy', 'pydantic', 'git', 'litellm'} & set(sys.modules) or 'light')"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout == "light\n"
