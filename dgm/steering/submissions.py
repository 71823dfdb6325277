"""Children that a person, or another coding agent, makes outside of a run: `fork` hands a genome out, `submit` brings
the edited directory back. The loop makes a child of it (`dgm.proposal.propose.taken`) in place of a meta agent.

A submitted directory is read as untrusted: regular files only, no links followed, no git run in it, and of its files
only those that may evolve. A submission counts as a proposal; its author stands in the record.
Not covered: whether the submitter is who the name says.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dgm.archive import Archive, steered
from dgm.domain import Files
from dgm.errors import UserError
from dgm.genome import SPEC, check_files, read_directory
from dgm.steering import Action, Request, request, state
from dgm.steering.inbox import INBOX, parsed, read

MARKER = ".dgm-fork.json"
"""Says in a forked directory where it comes from; never part of a genome."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A child that waits for its evaluation. `files` are the whole edited directory."""

    id: str
    parent: int
    files: Files
    summary: str
    author: str


def fork(path: Path, agent: int, directory: Path) -> list[str]:
    """Write an agent's genome into a new or empty directory, with a marker; the paths written."""
    if directory.is_symlink() or (directory.exists() and (not directory.is_dir() or any(directory.iterdir()))):
        raise UserError(f"{directory} is there already; give a directory that is new or empty")
    with Archive.open(path) as archive:
        record = archive.agent(agent)
        if not record.admission.works:
            raise UserError(f"{archive.name}#{agent} is no parent: its proposal ended as {record.admission}")
        files = archive.files(agent)
    for name, content in files.items():
        place = directory / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    origin = {"archive": str(path.resolve()), "agent": agent, "tree": record.tree}
    (directory / MARKER).write_text(json.dumps(origin, indent=2) + "\n", encoding="utf-8")
    return sorted(files)


def origin(directory: Path) -> tuple[Path, int]:
    """The archive and the agent that a directory was forked from. Raises UserError where no marker says so."""
    if not directory.is_dir():
        raise UserError(f"{directory} is not there; `dgm fork NAME#ID {directory}` makes it")
    marker = directory / MARKER
    remedy = "name the parent with --to NAME#ID"
    if marker.is_symlink() or not marker.is_file() or marker.stat().st_size > 10_000:
        raise UserError(f"{directory} was not made by `dgm fork`; {remedy}")
    try:
        value = json.loads(marker.read_bytes())
        path, agent = value["archive"], value["agent"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UserError(f"{marker} cannot be read; {remedy}") from None
    if not isinstance(path, str) or type(agent) is not int:
        raise UserError(f"{marker} names no archive and agent; {remedy}")
    return Path(path), agent


def submit(
    directory: Path, path: Path, parent: int, *, summary: str = "", author: str = ""
) -> tuple[Request, list[str]]:
    """Send an edited directory as a child of `parent`; the request, and a notice for each entry left out.

    A kernel that runs makes it its next proposal; otherwise the next one that runs does.
    """
    if not directory.is_dir():
        raise UserError(f"{directory} is not a directory")
    files, dropped = read_directory(directory)
    files.pop(MARKER, None)
    if SPEC not in files:
        raise UserError(f"{directory} holds no {SPEC}; `dgm fork NAME#ID DIR` makes a directory to edit")
    if (why := check_files(files)) is not None:
        raise UserError(f"{directory} cannot be a genome: {why}")
    encoded = {name: base64.b64encode(content).decode() for name, content in files.items()}
    asked = request(path, Action.SUBMIT, agent=parent, text=summary, author=author, files=encoded)
    return asked, dropped


def waiting(archive: Archive) -> list[Submission]:
    """The submissions that were taken up and are not evaluated, the oldest first, for the archive's writer.

    One whose file is gone or damaged comes without files, so that it is recorded as refused.
    """
    ids = state(archive).submitted
    bodies = {body["id"]: body for _, body in steered.bodies(archive.events())} if ids else {}
    return [
        Submission(i, bodies[i]["agent"], _files(archive, i), str(bodies[i].get("text", "")), bodies[i]["author"])
        for i in ids
    ]


def _files(archive: Archive, submission: str) -> Files:
    file = archive.path / INBOX / f"{submission}.json"
    try:
        value = read(file)
        parsed(file, value)
        return _decoded(value.get("files"))
    except UserError:
        return {}


def _decoded(value: object) -> dict[str, bytes]:
    """Raises UserError unless it is paths to base 64."""
    if not isinstance(value, Mapping):
        raise UserError("the submission holds no files")
    try:
        files = {str(name): base64.b64decode(content, validate=True) for name, content in value.items()}
    except (binascii.Error, TypeError, ValueError):
        raise UserError("the submission holds files that cannot be read") from None
    if (why := check_files(files)) is not None:
        raise UserError(f"the submission cannot be a genome: {why}")
    return files
