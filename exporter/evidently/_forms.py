"""What it takes to say that one of Evidently's names is something here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from exporter.presets import Entry

Read = Callable[[Any], Mapping[str, Any]]  # the value of an option of theirs, as options of ours
KINDS = {
    "num": "numerical",
    "cat": "categorical",
    "text": "text",
}  # its words for columns of a kind


@dataclass(frozen=True, slots=True)
class Alias:
    """One name of Evidently's: the entries that give its figures here, or what to do instead."""

    entries: tuple[Entry, ...] = ()
    options: Mapping[str, str | Read] = field(
        default_factory=dict
    )  # that are called otherwise here
    instead: str = ""  # why nothing here is the same, and what to use
    by_kind: bool = False  # it takes drift methods by kind and by column, which are presets' parts
    counts: bool = False  # drifted columns: which are compared, and how, is said elsewhere
    note: str = ""  # what else is different


def means(*entries: Entry, note: str = "", **options: str | Read) -> Alias:
    """It is these entries, with options under these names."""
    return Alias(entries, options, note=note)


def refused(instead: str) -> Alias:
    """Nothing here is the same; what to use is told."""
    return Alias(instead=instead)


def columns_of(value: Any) -> Mapping[str, Any]:
    """A column, a list, or its word for columns of a kind, as `columns`."""
    if isinstance(value, str):
        return {"columns": KINDS.get(value, value) if value in _WORDS else [value]}
    return {"columns": value}


def rename(name: str) -> Read:
    """The same value under a name of ours."""
    return lambda value: {name: value}


def categories_of(value: Any) -> Mapping[str, Any]:
    """One category, or a list, as `categories`."""
    return {"categories": list(value) if isinstance(value, list | tuple) else [value]}


def inside_sigmas(value: Any) -> Mapping[str, Any]:
    """So many standard deviations to either side."""
    sound = isinstance(value, int | float) and not isinstance(value, bool)
    return {"between": [-value, value]} if sound else {"between": value}


def label_of_kind(value: Any) -> Mapping[str, Any]:
    """Columns of a type, as the label of their number."""
    return {} if value in (None, "all") else {"label": KINDS.get(str(value), value)}


_WORDS = (*KINDS, "all", "features")
EVERYWHERE: Mapping[str, Read] = {
    "column": columns_of,
    "column_name": columns_of,
    "columns": columns_of,
    "features": columns_of,
    "category": categories_of,
    "alias": rename("name"),
    "is_critical": rename("critical"),
    "is_in": rename("in"),
    "min_rel_score": rename("min_relevance"),
    "n_sigmas": inside_sigmas,
    "normalize_arp": rename("normalized"),
    "probas_threshold": rename("threshold"),
    "quantile": rename("q"),
    "reg_exp": rename("pattern"),
    "stattest": rename("method"),
    "stattest_threshold": rename("threshold"),
}
DRAWN = frozenset(  # options of theirs that draw, and nothing else
    {"conf_matrix", "display_features", "distribution", "error_distr", "error_normality",
     "error_plot", "nbinsx", "perc_error_plot", "plot_type", "pr_curve", "pr_table",
     "pred_actual_plot", "roc_curve", "top", "user_ids"}
)  # fmt: skip
