"""Genomes as a bare git repository: one commit per agent, its parents the parent agents' commits.

The one module that knows git's object database. Objects are written in this process: git's own formats, but
no git process, so that admitting an agent costs milliseconds. GitPython's database (gitdb) reads them back,
loose or packed. Its writer is not used: it names an object before the bytes are on disk, and a name without
its bytes would be taken for an object that is already there. git itself runs for `fsck` alone, and now and then to
pack what was written (`packing`).

Not covered: which agents exist. That is `dgm.archive.records`; a commit without a row is an orphan and
harmless.
"""

from __future__ import annotations

import hashlib
import struct
import threading
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import gitdb
from gitdb.exc import ODBError

from dgm.archive import git, trees
from dgm.archive.diff import Work, file_diff, shortened
from dgm.archive.disk import sync_directory, write_whole
from dgm.archive.failpoints import failpoint
from dgm.archive.refs import Refs
from dgm.domain import Files
from dgm.errors import UserError

AUTHOR = "dgm <dgm@localhost>"
_AGENTS = "refs/agents/"
MAX_OBJECT = 64_000_000
"""Bytes of one object. A genome's file has at most 1 MB; an imported one may be larger."""
MAX_ENTRIES = 100_000
MAX_BYTES = 500_000_000
"""Of one genome: what is more was packed small to be large when it is read."""
_UNREADABLE = (ODBError, OSError, ValueError, IndexError, zlib.error, struct.error, AssertionError)


class GitStore:
    """The repository at `path`. Hashes are 40 hexadecimal digits. Safe to use from several threads.

    Every method that reads raises UserError when an object is missing or is not what its hash says.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._objects = path / "objects"
        self._refs = Refs(path)
        self._lock = threading.RLock()
        self.written = 0  #: objects that were written since this store was opened
        if not (path / "HEAD").is_file() or not self._objects.is_dir():
            raise UserError(f"{path} is no git repository; restore a copy of the archive")
        self._database = gitdb.GitDB(str(self._objects))

    @classmethod
    def create(cls, path: Path) -> GitStore:
        """A new, empty repository. `path` must not exist yet."""
        (path / "objects" / "pack").mkdir(parents=True)
        (path / "refs" / "agents").mkdir(parents=True)
        for name, text in (("config", git.CONFIG), ("HEAD", "ref: refs/heads/main\n")):
            write_whole(path / name, text.encode(), path / f"{name}.lock")
        return cls(path)

    # Writing

    def write(self, files: Files, parents: Sequence[str], message: str, when: float) -> tuple[str, str]:
        """Write a commit with these files; its hash and its tree's. Nothing refers to it until `set_ref`.

        `when` in seconds since 1970. Raises ValueError for a path that a git tree cannot hold, before
        anything is written.
        """
        root = trees.nested(files)
        with self._lock:
            tree = self._put_tree(root)
            commit = trees.Commit(tree, tuple(parents), message)
            return self._put(b"commit", trees.encode_commit(commit, AUTHOR, when)), tree

    def set_ref(self, agent: int, commit: str) -> None:
        """Name the commit of an agent: `refs/agents/<id>`."""
        self._refs.point(f"{_AGENTS}{agent}", commit)

    def delete_ref(self, agent: int) -> None:
        """Forget an agent's ref. Its objects stay until somebody runs `git gc`."""
        self._refs.delete(f"{_AGENTS}{agent}")

    def tag(self, name: str, commit: str) -> None:
        """A lightweight tag, `refs/tags/<name>`, set or moved."""
        self._refs.point(f"refs/tags/{name}", commit)

    def clear_temporary(self) -> int:
        """Remove half-written files of a killed writer; how many there were. Only for the one writer."""
        left = [*self._objects.glob("tmp_obj_dgm_*"), *(self._objects / "pack").glob("tmp_*")]
        left += (self._objects / "pack").glob(".tmp-*")
        for path in left:
            path.unlink()
        return len(left) + self._refs.clear_temporary()

    def loose(self) -> int:
        """About how many objects are files of their own: of those in one of the 256 folders, as git estimates it."""
        folder = self._objects / "17"
        return 256 * sum(1 for _ in folder.iterdir()) if folder.is_dir() else 0

    def pack_refs(self) -> int:
        """Move agents' refs into one file, all but the root's; how many were moved. May run beside any other method."""
        return self._refs.pack(_AGENTS, {f"{_AGENTS}0"})

    def look_again(self) -> None:
        """Something else has packed objects: see where they are now."""
        with self._lock:
            self._database = gitdb.GitDB(str(self._objects))

    def add(self, kind: str, data: bytes) -> str:
        """Write one object as it is, of a bundle for example; its hash. Nothing refers to it until `set_ref`."""
        with self._lock:
            return self._put(kind.encode(), data)

    def sync(self) -> None:
        """Force the names of the repository's folders to disk; each ref does so for its own."""
        for folder in (self.path, self._objects, self.path / "refs"):
            sync_directory(folder)

    def _put_tree(self, node: trees.Node) -> str:
        entries = []
        for name, below in node.items():
            if isinstance(below, dict):
                entries.append(trees.Entry(trees.TREE, name.encode(), self._put_tree(below)))
            else:
                entries.append(trees.Entry(trees.FILE, name.encode(), self._put(b"blob", below)))
        return self._put(b"tree", trees.encode_tree(entries))

    def _put(self, kind: bytes, data: bytes) -> str:
        content = b"%s %d\0%s" % (kind, len(data), data)
        sha = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        path = self._objects / sha[:2] / sha[2:]
        if not path.exists() and not self._database.has_object(bytes.fromhex(sha)):
            path.parent.mkdir(exist_ok=True)
            write_whole(path, zlib.compress(content, 1), self._objects / f"tmp_obj_dgm_{sha}", 0o444)
            failpoint("object")
            self.written += 1
        return sha

    # Reading

    def refs(self) -> dict[int, str]:
        """Agent id to commit; an empty text where the ref's file is damaged."""
        return {_id(name): commit for name, commit in self._refs.all(_AGENTS).items() if _id(name) >= 0}

    def ref_ids(self) -> set[int]:
        """The ids that have a ref; cheaper than `refs`."""
        return {_id(name) for name in self._refs.names(_AGENTS) if _id(name) >= 0}

    def is_loose(self, agent: int) -> bool:
        """Whether an agent's ref is a file of its own, not only a line of `packed-refs`."""
        return self._refs.is_loose(f"{_AGENTS}{agent}")

    def tags(self) -> dict[str, str]:
        """Tag name to commit."""
        below = "refs/tags/"
        return {name.removeprefix(below): commit for name, commit in self._refs.all(below).items()}

    def commit(self, commit: str) -> trees.Commit:
        """Tree, parents and message of a commit."""
        data = self._get(commit, b"commit")
        try:
            return trees.decode_commit(data)
        except ValueError as error:
            raise self._damaged(commit, str(error)) from error

    def paths(self, commit: str) -> list[str]:
        """The paths of a commit's regular files, sorted."""
        return sorted(self._blobs(commit))

    def read(self, commit: str) -> dict[str, bytes]:
        """The regular files of a commit, sorted by path."""
        found: dict[str, bytes] = {}
        left = MAX_BYTES
        for path, blob in sorted(self._blobs(commit).items()):
            found[path] = self._get(blob, b"blob")
            left -= len(found[path])
            if left < 0:
                raise self._damaged(commit, f"it holds more than {MAX_BYTES} bytes")
        return found

    def changed(self, a: str | None, b: str) -> list[str]:
        """The paths whose content differs between two commits, sorted; None stands for an empty one."""
        old, new = self._blobs(a) if a else {}, self._blobs(b)
        return sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))

    def diff(self, a: str | None, b: str, limit: int = 1_000_000) -> str:
        """What changed from `a` (None: from nothing) to `b` as a patch, cut after about `limit`
        characters."""
        old, new = self._blobs(a) if a else {}, self._blobs(b)
        parts, length, work, left = [], 0, Work(), self.changed(a, b)[::-1]
        while left and length <= limit:
            path = left.pop()
            before = self._get(old[path], b"blob") if path in old else None
            after = self._get(new[path], b"blob") if path in new else None
            parts.append(file_diff(path, before, after, work))
            length += len(parts[-1])
        text = shortened("".join(parts), limit) if length > limit else "".join(parts)
        return f"{text}… {len(left)} more files\n" if left else text

    def objects(self, commit: str, known: set[str]) -> Iterator[str]:
        """Read a commit and all it holds that is not yet in `known`, checking every hash; adds to `known`."""
        pending = [(self.commit(commit).tree, b"tree")] if commit not in known else []
        known.add(commit)
        while pending:
            sha, kind = pending.pop()
            if sha in known:
                continue
            known.add(sha)
            data = self._get(sha, kind)
            yield sha
            if kind == b"tree":
                for entry in self._decoded_tree(sha, data):
                    if entry.is_tree or entry.is_file:
                        pending.append((entry.sha, b"tree" if entry.is_tree else b"blob"))

    def kept(self) -> dict[str, str]:
        """Every object that an agent or a tag refers to, hash to kind (`commit`, `tree`, `blob`), sorted."""
        found: dict[str, str] = {}
        pending = [*self.refs().values(), *self.tags().values()]
        while pending:
            commit = pending.pop()
            if commit in found:
                continue
            found[commit] = "commit"
            read = self.commit(commit)
            pending += read.parents
            trees_left = [read.tree]
            while trees_left:
                tree = trees_left.pop()
                if tree in found:
                    continue
                found[tree] = "tree"
                for entry in self._decoded_tree(tree, self._get(tree, b"tree")):
                    if entry.is_tree:
                        trees_left.append(entry.sha)
                    elif entry.is_file:
                        found[entry.sha] = "blob"
        return dict(sorted(found.items()))

    def content(self, sha: str, kind: str) -> bytes:
        """An object's content, checked against its hash."""
        return self._get(sha, kind.encode())

    def fsck(self) -> list[str]:
        """What `git fsck --strict` complains about; nothing where git is not installed."""
        with git.bare(self.path) as folder:
            process = git.start(folder, "fsck", "--strict", "--no-dangling", "--no-progress")
            if process is None:
                return []
            with process:
                said = process.communicate()[0].decode(errors="replace").splitlines()
        # An unborn HEAD is how this store is meant to be: agents are refs, no branch.
        return [line for line in said if not line.startswith("notice:")]

    def _blobs(self, commit: str) -> dict[str, str]:
        found: dict[str, str] = {}
        pending = [("", self.commit(commit).tree)]
        known: dict[str, list[trees.Entry]] = {}
        left = MAX_ENTRIES
        while pending:
            folder, sha = pending.pop()
            if sha not in known:
                known[sha] = self._decoded_tree(sha, self._get(sha, b"tree"))
            entries = known[sha]
            left -= len(entries)
            if left < 0 or folder.count("/") > trees.MAX_DEPTH:  # few trees that name each other can hold billions
                raise self._damaged(sha, f"it holds more than {MAX_ENTRIES} entries, or deeper ones than any genome")
            for entry in entries:
                path = folder + entry.name.decode(errors="backslashreplace")
                if entry.is_tree:
                    pending.append((path + "/", entry.sha))
                elif entry.is_file:
                    found[path] = entry.sha
        return found

    def _decoded_tree(self, sha: str, data: bytes) -> list[trees.Entry]:
        try:
            return trees.decode_tree(data)
        except ValueError as error:
            raise self._damaged(sha, str(error)) from error

    def _get(self, sha: str, kind: bytes) -> bytes:
        try:
            with self._lock:
                return self._verified(sha, kind)
        except _UNREADABLE:
            self.look_again()  # somebody may have packed it since
        try:
            with self._lock:
                return self._verified(sha, kind)
        except _UNREADABLE as error:
            raise self._damaged(sha, str(error) or type(error).__name__) from error

    def _verified(self, sha: str, kind: bytes) -> bytes:
        stream = self._database.stream(bytes.fromhex(sha))
        if stream.size > MAX_OBJECT:
            raise ValueError(f"it has more than {MAX_OBJECT} bytes")
        data: bytes = stream.read()
        found = hashlib.sha1(b"%s %d\0%s" % (stream.type, len(data), data), usedforsecurity=False).hexdigest()
        if found != sha or stream.type != kind:
            raise ValueError(f"its content is a {stream.type.decode(errors='replace')} with the hash {found}")
        return data

    def _damaged(self, sha: str, why: str) -> UserError:
        return UserError(f"{self.path} is damaged at object {sha!r} ({why}); restore a copy, or run `dgm verify`")


def _id(ref: str) -> int:
    """The agent that a ref names, or -1."""
    number = ref.removeprefix(_AGENTS)
    return int(number) if number.isascii() and number.isdigit() and len(number) < 16 else -1
