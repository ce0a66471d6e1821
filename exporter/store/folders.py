"""Where this user's state lies on disk: the embedded server's data, and snapshots that wait."""

from __future__ import annotations

import os
import re
from hashlib import sha256
from pathlib import Path

from exporter.errors import StoreError
from exporter.store.connection import place

_NAME = "evaluation-exporter"
ELSEWHERE = Path("/var/tmp")  # noqa: S108  sticky, kept over a restart; `private` refuses what is another's


def state_folder() -> Path:
    """`evaluation-exporter` in the XDG state folder.

    Where this user has no home to write to, as in many containers, a folder of their own under
    /var/tmp; a folder that XDG_STATE_HOME names is taken as it is.
    """
    if named := os.environ.get("XDG_STATE_HOME"):
        return Path(named) / _NAME
    try:
        wanted = Path.home() / ".local" / "state"
    except RuntimeError:  # an account without a name, and HOME is not set
        return private(elsewhere(Path("/")))
    return wanted / _NAME if _can_be_made(wanted) else private(elsewhere(wanted))


def elsewhere(folder: Path) -> Path:
    """What stands for a folder that cannot be reached: always the same for one user and folder."""
    told = f"{os.geteuid()} {folder}"
    return ELSEWHERE / f"{_NAME}-{sha256(told.encode()).hexdigest()[:12]}"


def private(folder: Path, mode: int = 0o700) -> Path:
    """The folder, made where it is missing; a StoreError where it is another user's, or a link."""
    try:
        _make(folder, mode)
        ours = folder.stat(follow_symlinks=False).st_uid == os.geteuid()
        if not ours or folder.is_symlink():
            raise StoreError(f"{folder} is not this user's: remove it, or set XDG_STATE_HOME")
        folder.chmod(mode)
    except OSError as error:
        raise StoreError(
            f"the folder {folder} is needed for what must not be lost ({error.strerror}):"
            " set XDG_STATE_HOME, or name a database under `store:`"
        ) from error
    return folder


def spool_folder(location: str) -> Path:
    """Where snapshots for a store wait while it is away: a folder a database, by name, not password."""
    if location == "embedded":
        return state_folder() / "spool" / location
    shown = place(location).partition(" ")[0]
    name = re.sub(r"[^A-Za-z0-9.]+", "-", shown)[:60].strip("-")
    return state_folder() / "spool" / f"{name}-{sha256(shown.encode()).hexdigest()[:8]}"


def _make(folder: Path, mode: int) -> None:
    """Folders above it can be passed through where it can: a umask of root's would close them."""
    if not folder.parent.exists():
        _make(folder.parent, 0o711 if mode & 0o001 else 0o700)
    if not folder.exists():
        folder.mkdir(exist_ok=True)
        folder.chmod(mode)


def _can_be_made(folder: Path) -> bool:
    """Whether this user may write there, or where it would have to be made."""
    nearest = next(p for p in (folder, *folder.parents) if os.path.exists(p))  # noqa: PTH110  Path.exists raises where we may not look
    return os.access(nearest, os.W_OK | os.X_OK)
