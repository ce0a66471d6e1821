"""A port on the loopback that a server can have."""

from __future__ import annotations

import socket

from exporter.errors import StoreError


def free_port(wanted: int) -> int:
    """The wanted port where it is free, else another; 0 wants any.

    Asked with SO_REUSEADDR: after a crash the clients' ends of the old connections wait in
    TIME_WAIT, and the server could not have its own port again.
    """
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise StoreError("no free port on 127.0.0.1: name a database under `store:`")
