"""The fleet's configs: what a person would write for these models, one file a project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from exporter.demo.fleet_roster import CLASSES, Member
from exporter.demo.fleet_rows import VERSIONS, choices_of, numbers_of

ROLLING = {"1h": "1d", "1d": "14d", "1w": "12w"}
WAIT = {"1h": "10m", "1d": "2h", "1w": "2h"}
_HEAD = """\
# Made-up models of one team, so that dashboards have something to show. `exporter demo --fleet` makes
# their data and runs this config.
"""

Entries = list[Any]


def config_text(members: Sequence[Member]) -> str:
    """The YAML of one project's models."""
    whole: dict[str, Any] = {"project": members[0].team, "timezone": "UTC", "store": "embedded"}
    defaults: dict[str, Any] = {"batch": "1d", "wait": WAIT["1d"]}
    if any(m.arms for m in members):
        whole["stream_tags"] = ["arm"]
        defaults["tags"] = {"arm": "champion"}
    whole |= {"defaults": defaults, "models": {m.name: _model(m) for m in members}}
    text = yaml.dump(whole, Dumper=_Plain, sort_keys=False, width=100, default_flow_style=None)
    return f"{_HEAD}{text}"


class _Plain(yaml.SafeDumper):
    """Without anchors: what two models have in common is written twice."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  PyYAML's signature
        return True


def _model(member: Member) -> dict[str, Any]:
    """What stands under `models:`."""
    data = f"data/{member.folder}"
    out: dict[str, Any] = {"task": member.task, "source": {"path": f"{data}/rows-*.parquet"}}
    if member.batch != "1d":
        out |= {"batch": member.batch, "wait": WAIT[member.batch]}
    rolling = {"rolling": ROLLING[member.batch]}
    out["reference"] = {"path": f"{data}/training.parquet"} if member.fixed else rolling
    if tags := _tags(member):
        out["tags"] = tags
    if member.delay:
        labels = {"path": f"{data}/labels.parquet", "delay": f"{member.delay}d", "mature_at": 0.9}
        out["labels"] = labels
    out["columns"] = _columns(member)
    if member.texts:
        out["descriptors"] = {"message": _DESCRIPTORS}
    if member.known:
        known = {part: {"path": f"{data}/{part}.parquet"} for part in ("train", "items")}
        out["ranking"] = known
    if member.segments:
        out["segments"] = {member.segments: {"min_rows": 30, "max": 4, "evaluations": ["quality"]}}
    return out | {"evaluations": _evaluations(member)}


_DESCRIPTORS: Entries = [
    "text_length",
    "word_count",
    "non_letter_ratio",
    "out_of_vocabulary_ratio",
    {"contains": {"items": ["refund", "invoice"], "case_sensitive": False, "name": "about_money"}},
]


def _tags(member: Member) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if member.arms:
        out["arm"] = {"column": "arm"}
    if member.versions:
        out["version"] = {"column": "model_version"}
    elif member.task != "none":
        out["version"] = VERSIONS[0]
    return out


def _columns(member: Member) -> dict[str, Any]:
    out: dict[str, Any] = {"time": "time"}
    if member.task != "none":
        out |= {"id": "id", "target": "target", **_said(member)}
    out["numerical"] = [c.name for c in numbers_of(member)]
    out["categorical"] = [c.name for c in choices_of(member)]
    if member.texts:
        out["text"] = ["message"]
    return out


def _said(member: Member) -> dict[str, Any]:
    """The columns of what the model said."""
    if member.task == "regression":
        return {"prediction": "prediction"}
    if member.task == "binary":
        return {"probability": "probability"}
    if member.task == "multiclass":
        return {"probability": {name: f"p_{name}" for name in CLASSES[member.project]}}
    return {"prediction": "score", "user": "user", "item": "item"}


def _evaluations(member: Member) -> dict[str, Any]:
    calm = member.fixed and not member.texts
    metrics: Entries = ["data_summary", _DRIFT if calm else "data_drift"]
    if member.task == "none":
        ranges = {"out_of_range_ratio": {"columns": "numerical"}}
        metrics = ["data_quality", "type_mismatches", ranges, *metrics[1:]]
    if member.texts:
        metrics.append({"column_drift": {"columns": ["message"], "words": True}})
    if member.task in ("regression", "binary", "multiclass"):
        metrics.append({"column_drift": {"columns": "prediction"}})
    out: dict[str, Any] = {"inputs": {"metrics": metrics, "tests": _tests_of_inputs(member)}}
    if member.task != "none":
        metrics, tests = _QUALITY[member.task]
        out["quality"] = {"requires": "target", "metrics": metrics, "tests": tests}
    return out


def _tests_of_inputs(member: Member) -> Entries:
    """Where data come a few rows at a time, only what needs many rows is tested: else it is skipped."""
    if member.incident == "few":
        return _COMPARED
    rows: Any = {"row_count": {"gte": member.rows // 4}} if member.fixed else "row_count"
    compared = _WATCHED if member.incident == "drift" else _COMPARED
    if member.texts:
        compared = [*compared, _ABOUT_MONEY]
    return [rows, *_WHOLE, *compared]


_DRIFT = {"data_drift": {"threshold": 0.15}}  # a distance that chance does not reach with few rows
_WHOLE: Entries = [
    "column_count",
    {"missing_ratio": {"columns": "features", "lte": 0.15}},
    {"out_of_list_ratio": {"columns": "categorical", "lte": 0.02}},
]
_ABOUT_MONEY = {"category_ratio": {"columns": ["message.about_money"], "label": "true", "lte": 0.7}}
_COMPARED: Entries = ["column_drift", {"mean_shift_sigmas": {"columns": "numerical"}}]
_WATCHED: Entries = [
    {"column_drift": {"critical": False, "alert": {"severity": "info", "after": "3 of 5"}}},
    {"mean_shift_sigmas": {"columns": "numerical"}},
]
_RMSE_HIGH = {
    "lte": {"reference": True, "relative": 0.25},
    "critical": False,
    "name": "rmse_high",
    "alert": {"severity": "warning", "after": 3},
}
_QUALITY: Mapping[str, tuple[Entries, Entries]] = {
    "regression": (
        ["regression", "error_bias", "error_bias_range"],
        [{"rmse": {"lte": {"reference": True, "relative": 0.6}}}, {"rmse": _RMSE_HIGH}],
    ),
    "binary": (
        ["classification"],
        [
            {"roc_auc": {"gte": {"reference": True, "relative": 0.1}}},
            {"recall": {"gte": {"reference": True, "relative": 0.3}, "critical": False}},
        ],
    ),
    "multiclass": (
        ["classification"],
        [{"accuracy": {"gte": {"reference": True, "relative": 0.15}}}, "log_loss"],
    ),
    "ranking": (
        [{"ranking": {"k": 5}}],
        [{"ndcg_at_k": {"k": 5}}, {"hit_rate_at_k": {"k": 5, "gte": 0.5}}],
    ),
}
