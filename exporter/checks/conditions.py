"""Conditions as the user says them: operators with numbers, or with the reference's own figure, give or take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite, nan
from numbers import Real
from typing import Any, NamedTuple

from exporter.errors import Path, nearest

OPERATORS = ("eq", "not_eq", "lt", "lte", "gt", "gte", "in", "not_in", "between")
NUMBER = "expected a number, {value: 300, relative: 0.1} or {reference: true, relative: 0.1}"
RELATIVE_KEYS = ("value", "reference", "relative", "absolute")
CENTERS = (-1e6, -1.0, -1e-3, 0.0, 1e-3, 1.0, 1e6)  # figures that a reference might have
Tell = Callable[[Path, str], None]


@dataclass(frozen=True, slots=True)
class Relative:
    """A value, the reference's figure unless it is said, with a tolerance: the larger of the two."""

    relative: float = 0.0  # of the value's size
    absolute: float = 0.0
    value: float | None = None  # None: it follows the reference's figure


Wanted = float | Relative


class Condition(NamedTuple):
    """An operator and what it is applied to: one value, two for `between`, several for `in`."""

    op: str
    values: tuple[Wanted, ...]

    @property
    def follows(self) -> bool:
        """Whether the reference's figure is needed."""
        return any(_follows(value) for value in self.values)


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a figure must lie: an interval, whose ends belong to it unless they are open."""

    lower: float = -inf
    upper: float = inf
    open_lower: bool = False
    open_upper: bool = False

    @property
    def empty(self) -> bool:
        """Whether no number lies there."""
        return self.lower > self.upper or (
            self.lower == self.upper and (self.open_lower or self.open_upper)
        )

    def hold(self, x: float) -> bool:
        """Whether the figure lies there."""
        above = x > self.lower if self.open_lower else x >= self.lower
        return above and (x < self.upper if self.open_upper else x <= self.upper)

    def meet(self, other: Limits) -> Limits:
        """Where both hold."""
        low = max((self.lower, self.open_lower), (other.lower, other.open_lower))
        high = min((self.upper, not self.open_upper), (other.upper, not other.open_upper))
        return Limits(low[0], high[0], low[1], not high[1])

    def said(self, digits: int = 4) -> str:
        """In words: `at least 1 and below 3`."""
        if self.lower == self.upper and not self.empty:
            return f"exactly {told(self.lower, digits)}"
        sides = []
        if isfinite(self.lower):
            sides.append(f"{'above' if self.open_lower else 'at least'} {told(self.lower, digits)}")
        if isfinite(self.upper):
            sides.append(f"{'below' if self.open_upper else 'at most'} {told(self.upper, digits)}")
        return " and ".join(sides)


@dataclass(frozen=True, slots=True)
class Demand:
    """All conditions of a test, with the reference's figure put in."""

    limits: Limits = Limits()
    banned: tuple[Limits, ...] = ()  # `not_eq`, `not_in`: where it must not lie
    allowed: tuple[float, ...] | None = None  # `in`

    def hold(self, x: float) -> bool:
        """Whether the figure meets every condition."""
        return (
            self.limits.hold(x)
            and not any(limits.hold(x) for limits in self.banned)
            and (self.allowed is None or x in self.allowed)
        )

    @property
    def impossible(self) -> bool:
        """Whether no figure meets it."""
        if self.allowed is not None:
            return not any(self.hold(x) for x in self.allowed)
        whole = self.limits
        covered = any(
            b.lower <= whole.lower and whole.upper <= b.upper and isfinite(b.lower)
            for b in self.banned
        )
        return whole.empty or covered

    def said(self, x: float) -> str:
        """A figure and what is wanted of it: `0.173, at most 0.1`; with the digits that tell the two apart."""
        ends = [self.limits.lower, self.limits.upper]
        close = any(x != end and told(x) == told(end) for end in ends)
        digits = 12 if close else 4
        parts = [self.limits.said(digits)] if self.limits != Limits() else []
        if self.allowed is not None:
            parts.append("one of " + ", ".join(map(told, self.allowed)))
        parts += [
            f"anything but {told(b.lower)}"
            if b.lower == b.upper
            else f"not between {told(b.lower)} and {told(b.upper)}"
            for b in self.banned
        ]
        return f"{told(x, digits)}, {' and '.join(parts)}"


def demand(conditions: Sequence[Condition], reference: float | None = None) -> Demand:
    """The conditions as intervals; *reference* is the figure that `reference: true` stands for.

    A tolerance makes `eq`, `lte`, `gte` and `between` laxer, `lt` and `gt` stricter, and widens
    what `not_eq` bans, as Evidently reads it.
    """
    limits = Limits()
    banned: list[Limits] = []
    allowed: tuple[float, ...] | None = None
    for op, values in conditions:
        numbers = [_resolved(value, reference) for value in values]
        if op == "in":
            allowed = tuple(center for center, _ in numbers)
        elif op in ("not_in", "not_eq"):
            banned += [interval("eq", center, tolerance) for center, tolerance in numbers]
        elif op == "between":
            (low, below), (high, above) = numbers
            limits = limits.meet(interval("gte", low, below)).meet(interval("lte", high, above))
        else:
            limits = limits.meet(interval(op, *numbers[0]))
    return Demand(limits, tuple(banned), allowed)


def interval(op: str, center: float, tolerance: float) -> Limits:
    """Where a figure lies that compares so with *center*, give or take the tolerance."""
    if op == "eq":
        return Limits(center - tolerance, center + tolerance)
    if op == "lt":
        return Limits(upper=center - tolerance, open_upper=True)
    if op == "lte":
        return Limits(upper=center + tolerance)
    if op == "gt":
        return Limits(lower=center + tolerance, open_lower=True)
    return Limits(lower=center - tolerance)


def read_conditions(options: Mapping[str, Any], at: Path, tell: Tell) -> tuple[Condition, ...]:
    """The conditions among a test's options; what is wrong with them goes to *tell*."""
    found = [_read(op, options[op], (*at, op), tell) for op in OPERATORS if op in options]
    conditions = tuple(condition for condition in found if condition is not None)
    if len(conditions) == len(found) and _impossible(conditions):
        said = ", ".join(f"{op}: {options[op]}" for op in OPERATORS if op in options)
        tell(at, f"no figure can meet all of {said}")
    return conditions


def told(x: float, digits: int = 4) -> str:
    """A number as people read it: whole ones and large ones without exponent, others at so many digits."""
    if isfinite(x) and abs(x) < 1e15 and (x == int(x) or abs(x) >= 10**digits):
        return f"{x:.0f}"
    return f"{x:.{digits}g}"


def _resolved(value: Wanted, reference: float | None) -> tuple[float, float]:
    """Center and tolerance."""
    if not isinstance(value, Relative):
        return value, 0.0
    center = value.value if value.value is not None else 0.0 if reference is None else reference
    return center, max(abs(center) * value.relative, value.absolute)


def _follows(value: Wanted) -> bool:
    return isinstance(value, Relative) and value.value is None


def _impossible(conditions: Sequence[Condition]) -> bool:
    """Whether they contradict each other, whatever the reference's figure is.

    Where only some of them follow the reference there is always a figure of it that saves them.
    """
    kinds = {_follows(value) for c in conditions for value in c.values}
    if len(kinds) != 1:
        return False
    return all(demand(conditions, center).impossible for center in CENTERS)


def _read(op: str, value: Any, at: Path, tell: Tell) -> Condition | None:
    if op == "between":
        if not isinstance(value, list | tuple) or len(value) != 2:
            tell(at, "expected [lower, upper]")
            return None
        return _several(op, value, at, tell, _wanted)
    if op in ("in", "not_in"):
        if not isinstance(value, list | tuple) or not value:
            tell(at, "expected a list of numbers")
            return None
        return _several(op, value, at, tell, _number)
    wanted = _wanted(value, at, tell)
    return None if wanted is None else Condition(op, (wanted,))


def _several(
    op: str,
    values: Iterable[Any],
    at: Path,
    tell: Tell,
    read: Callable[[Any, Path, Tell], Wanted | None],
) -> Condition | None:
    found = [read(value, (*at, i), tell) for i, value in enumerate(values)]
    sound = tuple(value for value in found if value is not None)
    return Condition(op, sound) if len(sound) == len(found) else None


def _wanted(value: Any, at: Path, tell: Tell) -> Wanted | None:
    return _relative(value, at, tell) if isinstance(value, Mapping) else _number(value, at, tell)


def _number(value: Any, at: Path, tell: Tell) -> float | None:
    number = nan
    if isinstance(value, Real) and not isinstance(value, bool):  # numpy's are such, too
        try:
            number = float(value)
        except OverflowError:
            number = inf
    if not isfinite(number):
        tell(at, NUMBER if at[-1] not in ("in", "not_in") else "expected a number")
        return None
    return number


def _relative(value: Mapping[Any, Any], at: Path, tell: Tell) -> Relative | None:
    sound = True
    for key in value:
        if key not in RELATIVE_KEYS:
            tell((*at, key), f"there is no key {key!r}" + nearest(key, RELATIVE_KEYS))
            sound = False
    sound = _sound_center(value, at, tell) and sound
    tolerances = []
    for key in ("relative", "absolute"):
        given = value.get(key, 0.0)
        number = _number(given, (*at, key), _silent)
        if number is None or number < 0:
            tell((*at, key), "expected a number that is not negative, such as 0.1")
            sound = False
        tolerances.append(number or 0.0)
    center = float(value["value"]) if sound and "value" in value else None
    return Relative(tolerances[0], tolerances[1], center) if sound else None


def _sound_center(value: Mapping[Any, Any], at: Path, tell: Tell) -> bool:
    """Whether it is said around what the tolerance lies: a number, or the reference's own figure."""
    if "value" in value and "reference" not in value:
        if _number(value["value"], (*at, "value"), _silent) is None:
            tell((*at, "value"), "expected a number")
            return False
        return True
    if "value" in value:
        tell(at, "`value` and `reference` exclude each other: a number, or the reference's figure")
    elif value.get("reference") is not True:
        text = "expected `reference: true`, for the reference's own figure, or a number as `value`"
        tell(at, text)
    else:
        return True
    return False


def _silent(at: Path, text: str) -> None:
    """The caller tells."""
