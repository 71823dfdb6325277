"""A Ray cluster of small nodes on this machine: a head that works like the others, and nodes that can be killed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from dgm.closing import Closing

STORE = 80 << 20


@dataclass
class Nodes(Closing):
    """Real Ray nodes: processes of their own, with two CPUs each as Ray counts them."""

    cluster: Any
    nodes: list[Any]

    @classmethod
    def start(cls, count: int) -> Nodes:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        # A node has half a minute to come up, and one question that a busy head does not answer may take all of it.
        os.environ.setdefault("RAY_gcs_server_request_timeout_seconds", "5")
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 2, "object_store_memory": STORE, "include_dashboard": False}
        made = cls(Cluster(initialize_head=True, head_node_args=head), [])
        for _ in range(count - 1):
            made.add()
        return made

    @property
    def address(self) -> str:
        return str(self.cluster.address)

    def add(self) -> None:
        self.nodes.append(self.cluster.add_node(num_cpus=2, object_store_memory=STORE))

    def kill(self) -> None:
        """The newest node, with all that it does; without a farewell."""
        self.cluster.remove_node(self.nodes.pop(), allow_graceful=False)

    def close(self) -> None:
        self.cluster.shutdown()
