"""Where this user's state lies on disk: the embedded server's data, and snapshots that wait."""

from __future__ import annotations

import os
import re
from hashlib import sha256
from pathlib import Path

from exporter.store.connection import place


def state_folder() -> Path:
    """`evaluation-exporter` in the XDG state folder."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    return Path(home) / "evaluation-exporter"


def spool_folder(location: str) -> Path:
    """Where snapshots for a store wait while it is away: a folder a database, by name, not password."""
    if location == "embedded":
        return state_folder() / "spool" / location
    shown = place(location).partition(" ")[0]
    name = re.sub(r"[^A-Za-z0-9.]+", "-", shown)[:60].strip("-")
    return state_folder() / "spool" / f"{name}-{sha256(shown.encode()).hexdigest()[:8]}"
