"""One snapshot as a page and as a notebook cell, and the index of what there is."""

from exporter.report.rendering import (
    Link,
    Neighbours,
    Part,
    content_security_policy,
    index,
    notebook_cell,
    notice,
    page,
    sheet,
)

__all__ = [
    "Link",
    "Neighbours",
    "Part",
    "content_security_policy",
    "index",
    "notebook_cell",
    "notice",
    "page",
    "sheet",
]
