"""RESULTS.md: sections that are written one by one, each with the machine and the day it was measured on."""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

FILE = Path(__file__).parent / "RESULTS.md"
TITLES = {
    "ours": "Beside pandas and scipy by hand, and against the bars",
    "peers": "Beside Evidently and NannyML",
    "peers at 1M": "Beside Evidently and NannyML, a million rows",
}
HEAD = """# Results

Written by `make bench` and `make bench-peers`. Each figure is the median of several turns in which
ours and the other ran one after the other, as whole processes unless the note says otherwise, with
the files in the page cache. A shared machine varies by half from hour to hour, and both sides with
it: read the ratios.
"""


def write_section(key: str, body: str, path: Path = FILE) -> None:
    """Write one section anew; the others stay as they are."""
    sections = _sections(path.read_text("utf-8")) if path.exists() else {}
    sections[TITLES[key]] = f"{machine()}\n\n{body.strip()}\n"
    order = [title for title in TITLES.values() if title in sections]
    text = HEAD + "".join(f"\n## {title}\n\n{sections[title].strip()}\n" for title in order)
    path.write_text(text, "utf-8")


def machine() -> str:
    """One sentence: the day, the processor, memory and versions of what was measured."""
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("numpy", "pyarrow", "pandas", "scipy")
    )
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {_processor()}, {os.cpu_count()} cores, {gigabytes:.0f} GB, "
        f"{platform.system()} {platform.release().split('-')[0]}, Python {platform.python_version()}, {packages}."
    )


def _processor() -> str:
    try:
        described = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", described, re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def _sections(text: str) -> dict[str, str]:
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))
