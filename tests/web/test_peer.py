"""Another user of the same machine can reach a viewer on loopback, and changes nothing there."""

from __future__ import annotations

import multiprocessing
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dgm.web.peer import trusted
from tests.archive.world import create
from tests.web.asking import OURS, asker

NOBODY = 65534


@pytest.fixture(params=["127.0.0.1", "::1"])
def listening(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.socket(family) as server:
        try:
            server.bind((request.param, 0))
        except OSError:
            pytest.skip("no IPv6 here")
        server.listen()
        yield server


def scope(server: socket.socket) -> dict[str, Any]:
    """As an ASGI server says where a request comes from."""
    connection, client = server.accept()
    with connection:
        return {"client": client[:2], "server": connection.getsockname()[:2]}


def knock(address: tuple[Any, ...], stay: Any) -> None:
    """As somebody else."""
    os.setuid(NOBODY)
    with socket.create_connection(address[:2]):
        stay.recv()


def test_a_process_of_ours_is_trusted_as_long_as_it_waits_for_the_answer(listening: socket.socket) -> None:
    with socket.create_connection(listening.getsockname()[:2]):
        asked = scope(listening)
        assert trusted(asked)
    assert not trusted(asked)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_a_process_of_somebody_else_is_not(listening: socket.socket) -> None:
    stay, theirs = multiprocessing.Pipe()
    other = multiprocessing.get_context("fork").Process(target=knock, args=(listening.getsockname(), theirs))
    other.start()
    asked = scope(listening)
    assert not trusted(asked)
    stay.send("go")
    other.join()


def test_who_is_not_trusted_reads_and_changes_nothing(tmp_path: Path) -> None:
    create(tmp_path / "run", children=2).close()
    ask = asker(tmp_path, trusted=False)
    assert ask("/api/archives").status_code == 200
    body = b'{"archive": "run", "action": "veto", "agent": 1}'
    refused = ask("/api/steer", {"origin": OURS, "content-type": "application/json"}, "POST", body)
    assert (refused.status_code, "user who started" in refused.text) == (403, True)
    mine = asker(tmp_path)("/api/steer", {"origin": OURS, "content-type": "application/json"}, "POST", body)
    assert mine.status_code == 200
