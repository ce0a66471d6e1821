"""The log on stderr: lines for people, or a JSON object a line for machines."""

from __future__ import annotations

import logging
import sys
from typing import Any, cast


def configure(form: str, *, verbose: bool) -> None:
    """Send every log record to stderr, as `console` lines or `json`; *verbose*: also what goes well.

    Records of libraries (psycopg, uvicorn) take the same form as our own.
    """
    import structlog

    first: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="%Y-%m-%dT%H:%M:%SZ", utc=True),
    ]
    last: list[Any] = (
        [
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
        if form == "json"
        else [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=first,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    structlog.configure(
        processors=[*first, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    # of a statement that Ctrl-C ended it warns that the rollback ended, too; errors are ours to tell
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO if verbose else logging.WARNING)


def logger(name: str) -> Any:
    """A log of ours, to which events are told with their values: `log.info("stored", rows=3)`."""
    import structlog

    return cast("Any", structlog.stdlib.get_logger(name))
