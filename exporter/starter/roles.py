"""Which columns are id, target, prediction and probability, and so what the model does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from exporter.batch import Task
from exporter.starter.facts import Facts

_IDS = ("id", "uuid", "guid", "key", "row_id", "record_id", "event_id", "request_id")
_TARGETS = (
    "target", "y_true", "ground_truth", "truth", "actual", "actuals", "label", "labels", "y",
    "outcome", "class",
)  # fmt: skip
_PREDICTIONS = (
    "prediction", "predictions", "y_pred", "pred", "preds", "predicted", "yhat", "y_hat", "forecast",
)  # fmt: skip
_PROBABILITIES = (
    "probability", "proba", "prob", "y_proba", "y_prob", "y_score", "score", "p", "scores",
    "probabilities", "confidence",
)  # fmt: skip
_OF_TARGETS = frozenset(("target", "actual", "true", "truth"))
_OF_PREDICTIONS = frozenset(("prediction", "predicted", "pred", "preds"))
_OF_PROBABILITIES = frozenset(("probability", "proba", "prob", "score"))
_ABOUT = _OF_TARGETS | _OF_PREDICTIONS | _OF_PROBABILITIES | {"is", "has", "was", "will"}
_POSITIVE = ("1", "true", "yes", "y", "positive", "pos", "t")


@dataclass
class Roles:
    """What part the columns play, why, and which others looked as if they did, with what to do."""

    task: Task = "none"
    id: str | None = None
    target: str | None = None
    prediction: str | None = None
    probability: str | None = None
    positive: str | None = None  # None: the default, 1
    user: str | None = None  # of a ranking: whom something is recommended to
    item: str | None = None  # and what
    by_rank: bool = False  # the prediction of a ranking is the place itself
    why: dict[str, str] = field(default_factory=dict)  # by key of the config
    spare: dict[str, str] = field(default_factory=dict)  # column -> why it is left out

    @property
    def score(self) -> str | None:
        """What stands for the prediction in drift."""
        return self.probability or self.prediction

    @property
    def columns(self) -> list[str]:
        """The columns that play a part."""
        named = (self.id, self.target, self.prediction, self.probability, self.user, self.item)
        return [name for name in named if name is not None]


def roles_of(
    facts: Mapping[str, Facts], taken: Collection[str], late: Mapping[str, Facts] | None = None
) -> Roles:
    """The parts that names suggest and values allow; of several the likeliest.

    *late* are columns of other files, of which one may be the target.
    """
    free = {name: c for name, c in facts.items() if name not in taken and _can_play(c)}
    roles = Roles()
    _find_id(free, roles)
    if roles.id:
        del free[roles.id]
    probabilities = _matching(free, _PROBABILITIES, _OF_PROBABILITIES, _could_be_probability)
    rest = {name: column for name, column in free.items() if name not in probabilities}
    predictions = _matching(rest, _PREDICTIONS, _OF_PREDICTIONS, _could_be_outcome)
    rest = {name: column for name, column in rest.items() if name not in predictions}
    targets = _targets(rest, [*predictions, *probabilities], free)
    if not targets and late:
        others = {name: column for name, column in late.items() if _can_play(column)}
        targets = _targets(others, [*predictions, *probabilities], free) or _fitting(
            others, predictions, free
        )
        free |= {name: others[name] for name in targets}
    _decide(free, targets[:1], predictions, probabilities, roles)
    _leave_out(free, targets, predictions, probabilities, roles)
    return roles


def _can_play(column: Facts) -> bool:
    return column.present > 0 and column.family in ("number", "text", "boolean")


def _could_be_outcome(column: Facts) -> bool:
    return column.is_class or column.is_continuous


def _targets(
    rest: Mapping[str, Facts], scores: Sequence[str], free: Mapping[str, Facts]
) -> list[str]:
    """Columns called like a target, or like what a prediction says that it predicts."""
    found = _matching(rest, _TARGETS, _OF_TARGETS, _could_be_outcome)
    said = [wanted for name in scores if (wanted := _bare(free[name]))]
    return found or [
        name
        for name, column in rest.items()
        if _could_be_outcome(column) and any(_is_about(column, words) for words in said)
    ]


def _fitting(
    late: Mapping[str, Facts], predictions: Sequence[str], free: Mapping[str, Facts]
) -> list[str]:
    """The one late column of the kind that is predicted, if there is one."""
    is_number = bool(predictions) and free[predictions[0]].is_continuous
    found = [
        name
        for name, column in late.items()
        if (column.is_continuous if is_number else column.is_class and column.distinct == 2)
    ]
    return found if len(found) == 1 else []


def _find_id(free: Mapping[str, Facts], roles: Roles) -> None:
    unique = [
        name for name, column in free.items()
        if column.is_unique and (column.family == "text" or column.is_whole)
        and (set(column.words) & {"id", "uuid", "guid", "key"} or column.words[-1:] == ("no",))
    ]  # fmt: skip
    if unique:
        roles.id = min(unique, key=lambda name: _place("_".join(free[name].words), _IDS))
        roles.why["id"] = "differs in every row: late labels are joined by it"


def _matching(
    free: Mapping[str, Facts],
    names: Sequence[str],
    words: frozenset[str],
    fits: Callable[[Facts], bool],
) -> list[str]:
    """The columns with such a name and fitting values: exact names first, then first or last words."""
    found = []
    for place, (name, column) in enumerate(free.items()):
        called = "_".join(column.words)
        ends = {*column.words[:1], *column.words[-1:]}
        if (called in names or (ends & words and len(column.words) > 1)) and fits(column):
            found.append((_place(called, names), place, name))
    return [name for _, _, name in sorted(found)]


def _could_be_probability(column: Facts) -> bool:
    if not column.words or column.family != "number" or not len(column.numbers):
        return False
    inside = bool(column.numbers.min() >= 0 and column.numbers.max() <= 1)
    return inside and (column.is_share or "proba" in column.words or "probability" in column.words)


def _bare(column: Facts) -> tuple[str, ...]:
    """What `predicted_delay`, `delay_score` and `is_delay` are about."""
    return tuple(word for word in column.words if word not in _ABOUT)


def _is_about(column: Facts, said: tuple[str, ...]) -> bool:
    """Whether a column is what a score speaks of: `returned` of `return_score` is."""
    words = _bare(column)
    if words == said:
        return True
    same = len(words) == len(said) and words[:-1] == said[:-1]
    return same and column.distinct == 2 and len(said[-1]) >= 4 and words[-1].startswith(said[-1])


def _decide(
    free: Mapping[str, Facts],
    targets: Sequence[str],
    predictions: Sequence[str],
    probabilities: Sequence[str],
    roles: Roles,
) -> None:
    """The task by the values of target and prediction, and the columns that go with it."""
    target = free[targets[0]] if targets else None
    roles.target = target.name if target else None
    continuous = [name for name in predictions if free[name].is_continuous]
    # what is called a prediction, and lies between 0 and 1 beside two classes, is a probability
    shares = [*probabilities, *(name for name in continuous if free[name].is_share)]
    two = target is not None and target.is_class and target.distinct == 2
    labels = [n for n in predictions if free[n].is_class and _same_classes(free[n], target)]
    numbers = [n for n in predictions if free[n].family == "number"]
    if two and (shares or labels):
        _be_binary(free, labels, shares, roles)
    elif target and target.distinct > 2 and _has_classes(target, labels):
        roles.task, roles.prediction = "multiclass", labels[0]
    elif target and target.family == "number" and numbers and not _has_classes(target, labels):
        roles.task, roles.prediction = "regression", numbers[0]
    elif target is None and continuous and continuous[0] not in shares:
        roles.task, roles.prediction = "regression", continuous[0]
    elif target is None and (shares or (labels and free[labels[0]].distinct == 2)):
        _be_binary(free, labels, shares, roles)
    elif predictions:
        roles.prediction = predictions[0]
    _explain(target, roles)


def _same_classes(prediction: Facts, target: Facts | None) -> bool:
    return target is None or set(prediction.labels) <= set(target.labels)


def _has_classes(target: Facts, labels: Sequence[str]) -> bool:
    return target.is_class and bool(labels)


def _be_binary(
    free: Mapping[str, Facts], labels: Sequence[str], shares: Sequence[str], roles: Roles
) -> None:
    roles.task = "binary"
    roles.prediction = labels[0] if labels and free[labels[0]].distinct <= 2 else None
    named = roles.target or roles.prediction
    classes = free[named].labels if named else []
    positive = min(classes, key=lambda x: _place(x.lower(), _POSITIVE), default="1")
    if classes and positive.lower() not in _POSITIVE:
        positive = classes[-1]
    fitting = [name for name in shares if free[name].words[-1:] == (positive.lower(),)]
    roles.probability = next(iter([*fitting, *shares]), None)
    if positive != "1":
        roles.positive = positive
        roles.why["positive"] = f"the class that counts as positive, out of {', '.join(classes)}"


def _explain(target: Facts | None, roles: Roles) -> None:
    scored = [name for name in (roles.prediction, roles.probability) if name]
    if not scored:
        why = "no prediction found by its name: give columns.prediction, and regression or binary"
    elif roles.task == "none":
        why = f"{scored[0]!r} does not fit {roles.target!r}: regression, binary or none"
    elif target is None:
        why = f"{scored[0]!r} holds {'numbers' if roles.task == 'regression' else 'two classes' if not roles.probability else 'probabilities'}; or none"
    else:
        classes = "two" if roles.task == "binary" else target.distinct
        held = "numbers" if roles.task == "regression" else f"{classes} classes"
        why = f"{target.name!r} holds {held}"
    roles.why["task"] = why


def _leave_out(
    free: Mapping[str, Facts],
    targets: Sequence[str],
    predictions: Sequence[str],
    probabilities: Sequence[str],
    roles: Roles,
) -> None:
    """What is another model's score is no feature; other targets may be, so they stay."""
    why = "other predictions: a model entry each, see stream_tags"
    if roles.task == "multiclass":
        why = "a class's probability? `probability: {class: column}` takes them"
    for name in (*predictions, *probabilities):
        if name not in roles.columns and (roles.score or "proba" in free[name].words):
            roles.spare[name] = why
    for name in targets[1:]:
        roles.spare.setdefault(name, "other targets by their name")


def _place(name: str, names: Sequence[str]) -> int:
    return names.index(name) if name in names else len(names)
