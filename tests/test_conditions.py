"""Conditions as users say them, and what is wrong with them."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.checks import (
    OPERATORS,
    Condition,
    Limits,
    demand,
    read_conditions,
)
from exporter.checks.conditions import NUMBER

NUMBERS = st.floats(-1e9, 1e9)
SINGLE = ("eq", "not_eq", "lt", "lte", "gt", "gte")


def read(**options):
    """The conditions, and what is wrong with them."""
    told = []
    conditions = read_conditions(options, ("tests", 0), lambda at, text: told.append((at, text)))
    return conditions, told


def holds(x: float, reference: float | None = None, **options) -> bool:
    conditions, told = read(**options)
    assert told == []
    return demand(conditions, reference).hold(x)


# ---- operators


@given(NUMBERS, NUMBERS)
def test_operators_compare_as_python_does(x, bound):
    assert holds(x, lt=bound) == (x < bound)
    assert holds(x, lte=bound) == (x <= bound)
    assert holds(x, gt=bound) == (x > bound)
    assert holds(x, gte=bound) == (x >= bound)
    assert holds(x, eq=bound) == (x == bound)
    assert holds(x, not_eq=bound) == (x != bound)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_between_has_both_ends(x, a, b):
    low, high = sorted((a, b))
    assert holds(x, between=[low, high]) == (low <= x <= high)
    assert holds(low, between=[low, high])
    assert holds(high, between=[low, high])


@given(st.integers(-5, 5), st.lists(st.integers(-5, 5), min_size=1))
def test_in_and_not_in_are_opposites(x, values):
    assert holds(x, **{"in": values}) == (x in values)
    assert holds(x, not_in=values) == (x not in values)


@given(NUMBERS, st.dictionaries(st.sampled_from(SINGLE), NUMBERS, min_size=1))
def test_several_conditions_hold_where_each_of_them_does(x, options):
    conditions, _ = read(**options)
    assert demand(conditions).hold(x) == all(holds(x, **{op: v}) for op, v in options.items())


@given(NUMBERS, st.floats(0, 1), st.floats(0, 100))
def test_a_tolerance_is_the_larger_of_the_relative_and_the_absolute_one(center, relative, absolute):
    said = {"reference": True, "relative": relative, "absolute": absolute}
    tolerance = max(abs(center) * relative, absolute)
    limits = demand(read(eq=said)[0], center).limits
    assert (limits.lower, limits.upper) == (center - tolerance, center + tolerance)


@given(NUMBERS, st.floats(0, 1))
def test_a_tolerance_makes_strict_operators_stricter_and_the_others_laxer(center, relative):
    said = {"reference": True, "relative": relative}
    tolerance = abs(center) * relative
    assert demand(read(lt=said)[0], center).limits.upper == center - tolerance
    assert demand(read(gt=said)[0], center).limits.lower == center + tolerance
    assert demand(read(lte=said)[0], center).limits.upper == center + tolerance
    assert demand(read(gte=said)[0], center).limits.lower == center - tolerance


def test_between_may_follow_the_reference_on_both_sides():
    low, high = {"reference": True, "relative": 0.5}, {"reference": True, "absolute": 3}
    assert holds(5, 10, between=[low, high])
    assert holds(13, 10, between=[low, high])
    assert not holds(4.9, 10, between=[low, high])
    assert not holds(13.1, 10, between=[low, high])


@given(NUMBERS, NUMBERS, st.floats(0, 1), st.floats(0, 100))
def test_a_number_may_have_a_tolerance_whatever_the_reference_is(
    center, reference, relative, absolute
):
    said = {"value": center, "relative": relative, "absolute": absolute}
    tolerance = max(abs(center) * relative, absolute)
    (condition,), told = read(eq=said)
    assert told == []
    assert not condition.follows
    limits = demand([condition], reference).limits
    assert (limits.lower, limits.upper) == (center - tolerance, center + tolerance)


def test_a_number_with_a_tolerance_stands_beside_the_reference_in_one_condition():
    low, high = {"value": 3, "absolute": 1}, {"reference": True}
    assert holds(2, 10, between=[low, high])
    assert not holds(1.9, 10, between=[low, high])
    assert not holds(10.1, 10, between=[low, high])


def test_numbers_with_tolerances_that_exclude_each_other_are_told():
    said = {"value": 100, "relative": 0.1}
    assert read(gte=said, lt=95)[1] == []
    ((at, text),) = read(gte=said, lt=89)[1]
    assert at == ("tests", 0)
    assert "no figure can meet all" in text


@pytest.mark.parametrize("value", [None, "5", True, float("nan"), [1], {"value": 1}])
def test_around_what_is_no_number_no_tolerance_lies(value):
    assert read(eq={"value": value})[1] == [(("tests", 0, "eq", "value"), "expected a number")]


def test_a_value_and_the_reference_exclude_each_other():
    (_, text), *_ = read(eq={"value": 1, "reference": True})[1]
    assert "`value` and `reference` exclude each other" in text


def test_not_eq_bans_the_tolerance_around_the_reference():
    said = {"reference": True, "absolute": 1}
    assert not holds(10.5, 10, not_eq=said)
    assert holds(11.5, 10, not_eq=said)


@given(st.builds(Limits, NUMBERS, NUMBERS, st.booleans(), st.booleans()),
       st.builds(Limits, NUMBERS, NUMBERS, st.booleans(), st.booleans()), NUMBERS)  # fmt: skip
def test_limits_meet_where_both_hold(a, b, x):
    assert a.meet(b).hold(x) == (a.hold(x) and b.hold(x))
    assert a.meet(b) == b.meet(a)
    for end in (a.lower, a.upper, b.lower, b.upper):
        assert a.meet(b).hold(end) == (a.hold(end) and b.hold(end))


@given(st.builds(Limits, NUMBERS, NUMBERS, st.booleans(), st.booleans()), NUMBERS)
def test_nothing_lies_in_empty_limits(limits, x):
    assert not (limits.empty and (limits.hold(x) or limits.hold(limits.lower)))


# ---- what is wrong with conditions


@pytest.mark.parametrize("value", [True, "5", None, [], float("nan"), inf, -inf, 10**400])
@pytest.mark.parametrize("op", SINGLE)
def test_a_value_that_is_no_number_is_told_with_its_place(op, value):
    conditions, told = read(**{op: value})
    assert conditions == ()
    assert told == [(("tests", 0, op), NUMBER)]


@pytest.mark.parametrize("value", [5, "ab", [1], [1, 2, 3], None, {"reference": True}])
def test_between_takes_two_values(value):
    assert read(between=value)[1] == [(("tests", 0, "between"), "expected [lower, upper]")]


@pytest.mark.parametrize("op", ["in", "not_in"])
def test_in_takes_a_list_of_numbers(op):
    assert read(**{op: 5})[1] == [(("tests", 0, op), "expected a list of numbers")]
    assert read(**{op: []})[1] == [(("tests", 0, op), "expected a list of numbers")]
    assert [at for at, _ in read(**{op: [1, "x"]})[1]] == [("tests", 0, op, 1)]
    assert [at for at, _ in read(**{op: [{"reference": True}]})[1]] == [("tests", 0, op, 0)]


def test_an_unknown_key_beside_reference_suggests_the_nearest():
    said = {"reference": True, "relativ": 0.1}
    assert read(lte=said)[1] == [
        (("tests", 0, "lte", "relativ"), "there is no key 'relativ'; did you mean 'relative'?")
    ]


@pytest.mark.parametrize("said", [{}, {"relative": 0.1}, {"reference": False}, {"reference": 1}])
def test_a_relative_value_says_reference_true(said):
    (at, text), *_ = read(lte=said)[1]
    assert at == ("tests", 0, "lte")
    assert "`reference: true`" in text


@pytest.mark.parametrize("key", ["relative", "absolute"])
@pytest.mark.parametrize("value", [-0.1, "much", True, None, float("nan")])
def test_a_tolerance_is_a_number_that_is_not_negative(key, value):
    told = read(lte={"reference": True, key: value})[1]
    assert told == [
        (("tests", 0, "lte", key), "expected a number that is not negative, such as 0.1")
    ]


@pytest.mark.parametrize(
    "options",
    [
        {"lt": 1, "gt": 2},
        {"lt": 1, "gte": 1},
        {"eq": 3, "lt": 3},
        {"eq": 1, "not_eq": 1},
        {"between": [2, 1]},
        {"in": [1, 2], "gt": 2},
        {"in": [1], "not_in": [1]},
        {"lt": {"reference": True}, "gt": {"reference": True}},
        {"eq": {"reference": True}, "not_eq": {"reference": True}},
    ],
)
def test_conditions_that_no_figure_can_meet_are_told(options):
    ((at, text),) = read(**options)[1]
    assert at == ("tests", 0)
    assert text.startswith("no figure can meet all of ")


@pytest.mark.parametrize(
    "options",
    [
        {"lt": 2, "gt": 1},
        {"lte": 1, "gte": 1},
        {"lt": 5, "lte": 3},
        {"in": [1, 2], "gt": 1},
        {"lt": {"reference": True}, "gte": 0},
        {"lte": {"reference": True, "relative": 0.1}, "gte": {"reference": True}},
        {"between": [{"reference": True}, 5]},
    ],
)
def test_conditions_that_some_figure_can_meet_are_taken(options):
    conditions, told = read(**options)
    assert told == []
    assert [c.op for c in conditions] == [op for op in OPERATORS if op in options]


@given(st.dictionaries(st.sampled_from(SINGLE), st.integers(-3, 3), min_size=1))
def test_conditions_are_refused_only_if_no_number_meets_them(options):
    told = read(**options)[1]
    tried = [x / 4 for x in range(-20, 21)]
    met = any(holds_all(x, options) for x in tried)
    assert bool(told) == (not met)


def holds_all(x: float, options: dict) -> bool:
    return all(demand((Condition(op, (float(v),)),)).hold(x) for op, v in options.items())
