"""Columns and options of what was asked for, checked against the model's columns and the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exporter.batch import Schema
from exporter.checks import OPERATORS
from exporter.distances import DRIFT_METHODS, DriftMethod, lack_of
from exporter.errors import nearest
from exporter.metrics import MetricSpec
from exporter.metrics.drift import methods_of
from exporter.options import as_names
from exporter.plan.asking import DRIFT, EMBEDDINGS, Asked, Selector, Told
from exporter.plan.fitting import foreign_to, lacking, outcome_columns, unlike
from exporter.plan.pairing import sound_correlation
from exporter.presets import ROLES
from exporter.profile.column import PROFILE_OF
from exporter.profile.outcome import ScoreProfile
from exporter.profile.ranking import RankingProfile

_OF_FEATURES = ("all", "features", "numerical", "categorical", "text", "descriptors")
_OF_ANY_METHOD = ("method", "threshold", "compat")
TEST_KEYS = ("columns", *OPERATORS, "critical", "name", "label", "alert")


@dataclass(frozen=True, slots=True)
class Choosing:
    """Which columns, and with which options."""

    schema: Schema | None
    tell: Told

    def fits(self, spec: MetricSpec, column: str) -> bool:
        """Whether the metric can read such a column; of an unknown one nobody can tell."""
        kind = self.schema.kinds.get(column) if self.schema else None
        if spec.per == "pair":
            return kind in (None, "numerical", "categorical")
        return kind is None or PROFILE_OF[kind] in spec.reads

    def _meant(self, asked: Asked, column: str) -> bool:
        """Whether the drift method is for such a column: texts have their own, what is not meant is left to `auto`."""
        method = DRIFT_METHODS.get(str(asked.options.get("method")))
        if asked.spec.id != DRIFT or method is None or self.schema is None:
            return True
        return (self.schema.kinds.get(column) == "text") == ("text" in method.kinds)

    def columns(self, asked: Asked) -> tuple[str, ...] | None:
        """The columns of a column metric, () where there are none; None = all that it can read."""
        if asked.spec.per == "dataset":
            self._refuse_columns(asked)
            return None
        if asked.spec.id == EMBEDDINGS:
            return self._sets(asked)
        features = Selector("features" if asked.spec.id == DRIFT else "all", asked.at)
        chosen: Sequence[str] | None = None
        for selector in asked.selectors or (features,):
            names = self._named(selector, asked)
            if names is not None:
                chosen = names if chosen is None else [c for c in chosen if c in names]
        if chosen is None:
            return None if self._any(asked) else ()
        fitting = tuple([c for c in chosen if self.fits(asked.spec, c) and self._meant(asked, c)])
        return fitting if fitting or self._told_of_none(asked) else ()

    def params(self, asked: Asked, options: Mapping[str, Any]) -> dict[str, Any] | None:
        """All options of the metric, defaults included; None where they are wrong."""
        from pydantic import ValidationError

        try:
            params = asked.spec.params(options)
        except ValidationError as error:
            for e in error.errors(include_url=False):
                self.tell((*asked.at, *e["loc"]), _said(e, asked.spec))
            return None
        if self.schema is not None and self._lacks(asked, self.schema):
            return None
        if asked.spec.id in (DRIFT, EMBEDDINGS):
            return _short(asked.spec, params) if self._sound_drift(asked, params) else None
        sound = (
            self._sound_range(asked, params)
            and self._sound_decision(asked, params)
            and sound_correlation(asked, params, self.schema, self.tell)
        )
        return params if sound else None

    def _lacks(self, asked: Asked, schema: Schema) -> bool:
        """Whether the model has not what the metric needs, which is told; a part of several does without."""
        spec = asked.spec
        if why := foreign_to(spec, schema):
            self.tell(asked.at, f"{spec.id} {why}")
            return True
        told = RankingProfile in spec.reads or not asked.preset
        why = unlike(spec, schema) or lacking(spec, schema)
        if why and told:
            self.tell(asked.at, f"{spec.id}: {why}")
        return bool(why)

    def _refuse_columns(self, asked: Asked) -> None:
        for selector in asked.selectors:
            text = f"{asked.spec.id} is a figure of the whole batch and takes no columns"
            self.tell(selector.at, text)

    def _sets(self, asked: Asked) -> tuple[str, ...] | None:
        """The sets of embeddings that are asked for, () where there are none; None = all of them."""
        if self.schema is None:
            return None
        sets, chosen = self.schema.embeddings, tuple(self.schema.embeddings)
        if not sets and not asked.preset:
            text = "the model has no embeddings: name their columns under columns.embeddings"
            self.tell(asked.at, text)
            return ()
        for selector in asked.selectors:
            listed = selector.wanted
            if listed == "all":
                continue
            if not isinstance(listed, list | tuple) or not listed:
                self.tell(selector.at, "expected a list of sets of embeddings, or all")
                return ()
            for i, name in enumerate(listed):
                if name not in sets:
                    text = f"{name!r} is no set of embeddings" + nearest(str(name), sets)
                    self.tell((*selector.at, i), text)
            chosen = tuple([name for name in chosen if name in listed])
        return chosen

    def _named(self, selector: Selector, asked: Asked) -> Sequence[str] | None:
        """The columns of one selector; None = all."""
        if isinstance(selector.wanted, str):
            return self._role(selector, asked)
        listed = as_names(selector.wanted)
        if listed is None:
            self.tell(selector.at, f"expected a list of columns, or one of {', '.join(ROLES)}")
            return ()
        if not listed:
            self.tell(selector.at, "the list of columns is empty")
        for i, column in enumerate(listed):
            self._check_listed(column, selector, i, asked)
        return list(dict.fromkeys(listed))

    def _check_listed(self, column: str, selector: Selector, i: int, asked: Asked) -> None:
        kinds = self.schema.kinds if self.schema else {}
        if not kinds:
            return
        if column not in kinds:
            text = f"{column!r} is not among the model's columns" + nearest(column, kinds)
            self.tell((*selector.at, i), text)
        elif not asked.preset and (reader := self._cannot_read(asked, column)):
            text = f"{reader} {kinds[column]} columns such as {column!r}"
            self.tell((*selector.at, i), text)

    def _cannot_read(self, asked: Asked, column: str) -> str:
        """What does not read or compare such a column; "" where nothing is in the way."""
        if not self.fits(asked.spec, column):
            return f"{asked.spec.id} does not read"
        method = DRIFT_METHODS.get(str(asked.options.get("method")))
        kind = self.schema.kinds[column] if self.schema else None
        if asked.spec.id == DRIFT and method and kind not in method.kinds:
            return f"{method.id} does not compare"
        return ""

    def _role(self, selector: Selector, asked: Asked) -> Sequence[str] | None:
        role, schema = selector.wanted, self.schema
        if role not in ROLES:
            text = f"expected a list of columns, or one of {', '.join(ROLES)}"
            self.tell(selector.at, text + nearest(role, ROLES))
            return ()
        if schema is None:
            return None
        if role in ("target", "prediction"):
            names = outcome_columns(schema, role)
            if not names and not asked.preset:
                self.tell(selector.at, f"the model has no {role}")
            return names
        if not schema.kinds or (role == "all" and asked.spec.id != DRIFT):
            return None  # of inferred columns only the data tells
        if role == "all":
            return list(schema.kinds)
        if role == "descriptors":
            return list(schema.described)
        if role == "text":
            return [name for name, kind in schema.kinds.items() if kind == "text"]
        kinds = {name: schema.kinds.get(name) for name in schema.features}
        return [name for name, kind in kinds.items() if role in ("features", kind)]

    def _any(self, asked: Asked) -> bool:
        """Whether there is a column that the metric can read."""
        if self.schema is None or not self.schema.kinds:
            return True
        found = any(self.fits(asked.spec, column) for column in self.schema.kinds)
        return found or self._told_of_none(asked)

    def _told_of_none(self, asked: Asked) -> bool:
        """False; a test that has nothing to read is a mistake, unless a preset brought it along.

        A metric has no figure then; a silent test would read as a passed one.
        """
        told = any(
            not isinstance(s.wanted, str) or s.wanted not in _OF_FEATURES for s in asked.selectors
        )
        if asked.test and not asked.preset and not told:
            kinds = " or ".join(k for k, p in PROFILE_OF.items() if p in asked.spec.reads)
            text = f"{asked.spec.id} reads {kinds} columns: none are asked for that the model has"
            self.tell(asked.at, text)
        return False

    def _sound_range(self, asked: Asked, params: Mapping[str, Any]) -> bool:
        """Whether a range, where the metric has one, begins before it ends."""
        left, right = params.get("left"), params.get("right")
        if left is None or right is None or left <= right:
            return True
        self.tell((*asked.at, "left"), f"a range from {left:g} to {right:g} holds nothing")
        return False

    def _sound_decision(self, asked: Asked, params: Mapping[str, Any]) -> bool:
        """Whether a classifier can decide as the options say."""
        given = [option for option in ("threshold", "top_k") if params.get(option) is not None]
        if not given or ScoreProfile not in asked.spec.reads:
            return True
        text = ""
        if len(given) > 1:
            text = "threshold and top_k exclude each other"
        elif self.schema is not None and self.schema.task == "multiclass":
            text = f"{given[0]} is for two classes: the model has more"
        elif self.schema is not None and self.schema.task == "binary":
            text = "" if self.schema.probability else f"{given[0]} needs columns.probability"
        if text:
            self.tell((*asked.at, given[0]), text)
        return not text

    def _sound_drift(self, asked: Asked, params: Mapping[str, Any]) -> bool:
        known, name = methods_of(asked.spec.id), params["method"]
        if name != "auto" and name not in known:
            text = f"there is no drift method {name!r}" + nearest(name, known)
            if name in DRIFT_METHODS:
                text = (
                    f"{asked.spec.id} has no use for {name}: there are {', '.join(sorted(known))}"
                )
            self.tell((*asked.at, "method"), text)
            return False
        method = known.get(name)
        if method is not None and (lack := method.lack()):
            self.tell((*asked.at, "method"), lack)
            return False
        if params.get("pca_components") and (lack := lack_of("pca_components", "sklearn")):
            self.tell((*asked.at, "pca_components"), lack)
            return False
        return (
            self._heeded(asked, params, method)
            and self._sound_threshold(asked, params, method)
            and self._sound_component(asked, params)
        )

    def _heeded(self, asked: Asked, params: Mapping[str, Any], method: DriftMethod | None) -> bool:
        """Whether the method has a use for the options that are given."""
        for option, default in asked.spec.options.items():
            if option in _OF_ANY_METHOD or params[option] == default or method is None:
                continue
            if option not in method.options:
                known = methods_of(asked.spec.id).values()
                heeding = sorted(m.id for m in known if option in m.options)
                have = "has" if len(heeding) == 1 else "have"
                text = f"{method.id} has no use for {option!r}: {', '.join(heeding)} {have}"
                self.tell((*asked.at, option), text)
                return False
        return True

    def _sound_threshold(
        self, asked: Asked, params: Mapping[str, Any], method: DriftMethod | None
    ) -> bool:
        score, threshold = method.score if method else "distance", params["threshold"]
        if threshold is None or 0 < threshold < (1 if score != "distance" else float("inf")):
            return True
        text = {
            "distance": "a distance above 0",
            "p_value": "a p-value between 0 and 1",
            "percentile": "a quantile of chance between 0 and 1",
        }[score]
        self.tell((*asked.at, "threshold"), f"expected {text}")
        return False

    def _sound_component(self, asked: Asked, params: Mapping[str, Any]) -> bool:
        """Whether the method for each number of a vector, where there is one, compares numbers."""
        name = params.get("component_method")
        numerical = [m.id for m in DRIFT_METHODS.values() if "numerical" in m.kinds]
        if name is None or name in numerical:
            return True
        text = f"there is no drift method {name!r} for numbers" + nearest(name, numerical)
        self.tell((*asked.at, "component_method"), text)
        return False


def _short(spec: MetricSpec, params: Mapping[str, Any]) -> dict[str, Any]:
    """Method and threshold, and what else is not as it is by default: rows carry them as their key."""
    always = ("method", "threshold")
    return {k: v for k, v in params.items() if k in always or v != spec.options[k]}


def _said(error: Any, spec: MetricSpec) -> str:
    """What pydantic found, in our words."""
    option = error["loc"][-1] if error["loc"] else ""
    if error["type"] == "extra_forbidden":
        if option in TEST_KEYS:
            return f"{option!r} belongs to a test: put the condition under `tests`"
        return f"{spec.id} has no option {option!r}" + nearest(option, [*spec.options, *TEST_KEYS])
    if error["type"] == "missing":
        return f"{spec.id} needs {option!r}"
    text = str(error["msg"]).removeprefix("Value error, ")
    return text[0].lower() + text[1:]
