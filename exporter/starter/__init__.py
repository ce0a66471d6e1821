"""A first config, inferred from data: `exporter init`.

`sampling` reads some rows, `times`, `roles` and `kinds` decide what the columns are, `drafting`
writes it down.
"""

from exporter.starter.drafting import Draft, starter_config

__all__ = ["Draft", "starter_config"]
