"""Windows tile time, in every zone and for every spelling of a time."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.errors import BatchError
from exporter.sources.clock import micros, moment, to_instants, to_local
from exporter.sources.windows import NO_TIME, back, end_of, instants, starts, window_from

NEW_YORK = "America/New_York"
ZONES = (
    "UTC",
    NEW_YORK,
    "America/Sao_Paulo",  # midnight is skipped
    "America/St_Johns",  # the clock went back over midnight
    "Asia/Beirut",
    "Asia/Kathmandu",  # a quarter of an hour
    "Australia/Lord_Howe",  # moves by half an hour
    "Pacific/Apia",  # a day is skipped
    "Africa/Casablanca",
)
BATCHES = ("1h", "1d", "1w", "1mo")
times = st.datetimes(datetime(1975, 1, 1), datetime(2037, 1, 1)).map(
    lambda naive: micros(naive.replace(tzinfo=UTC))
)


def read(values, zone=NEW_YORK):
    array = values if isinstance(values, pa.Array) else pa.array(values)
    return instants(pa.chunked_array([array]), zone, "t")


def cut(texts, batch, zone=NEW_YORK):
    return starts(read(texts, zone), batch, zone).tolist()


def one(text, batch, zone=NEW_YORK):
    return window_from(cut([text], batch, zone)[0], batch, zone)


@settings(max_examples=300, deadline=None)
@given(times, st.sampled_from(ZONES), st.sampled_from(BATCHES))
def test_every_instant_lies_in_exactly_one_window_and_the_next_begins_where_it_ends(
    instant, zone, batch
):
    start = int(starts(np.array([instant]), batch, zone)[0])
    end = end_of(start, batch, zone)
    inside = starts(np.array([start, instant, end - 1, end]), batch, zone).tolist()
    assert start <= instant < end
    assert inside == [start, start, start, end]


@settings(max_examples=100, deadline=None)
@given(st.lists(times, min_size=2, max_size=50), st.sampled_from(ZONES), st.sampled_from(BATCHES))
def test_an_instant_lies_in_the_same_window_whatever_stands_beside_it(many, zone, batch):
    together = starts(np.array(many), batch, zone).tolist()
    alone = [int(starts(np.array([x]), batch, zone)[0]) for x in many]
    assert together == alone


@settings(max_examples=200, deadline=None)
@given(times, st.sampled_from(ZONES))
def test_the_wall_clock_is_the_one_that_python_shows(instant, zone):
    shown = moment(instant).astimezone(ZoneInfo(zone))
    assert int(to_local(np.array([instant]), zone)[0]) == micros(shown.replace(tzinfo=UTC))


@settings(max_examples=200, deadline=None)
@given(times, st.sampled_from(ZONES))
def test_a_wall_clock_time_is_the_first_instant_that_shows_it_or_the_end_of_its_gap(local, zone):
    instant = int(to_instants(np.array([local]), zone)[0])
    shown = int(to_local(np.array([instant]), zone)[0])
    before = int(to_local(np.array([instant - 1]), zone)[0])
    if shown == local:
        assert before < local or before > shown
    else:
        assert before < local < shown


@pytest.mark.parametrize(
    ("batch", "day", "hours"),
    [
        ("1d", "2013-03-10T12:00", 23),
        ("1d", "2013-11-03T12:00", 25),
        ("1w", "2013-03-10T12:00", 167),
        ("1mo", "2013-03-05T00:00", 743),
        ("1mo", "2013-11-05T00:00", 721),
    ],
)
def test_windows_over_a_change_of_the_clock_are_as_long_as_they_are(batch, day, hours):
    window = one(day, batch)
    assert window.end - window.start == timedelta(hours=hours)


def test_weeks_begin_on_monday():
    window = one("2024-02-29T10:00", "1w")
    assert window.start.astimezone(ZoneInfo(NEW_YORK)).strftime("%a %H:%M") == "Mon 00:00"


def test_the_hour_that_comes_twice_is_two_windows():
    found = cut(["2013-11-03T05:30Z", "2013-11-03T06:30Z", "2013-11-03T07:10Z"], "1h")
    assert len(set(found)) == 3


def test_a_day_without_midnight_begins_with_its_first_instant():
    window = one("2018-11-04T12:00", "1d", "America/Sao_Paulo")
    assert window.start == datetime(2018, 11, 4, 3, tzinfo=UTC)
    assert window.end - window.start == timedelta(hours=23)


def test_hours_of_a_half_hour_zone_are_those_of_its_clock():
    window = one("2024-06-01T10:20:00Z", "1h", "Asia/Kolkata")
    assert window.start == datetime(2024, 6, 1, 9, 30, tzinfo=UTC)


def test_the_ambiguous_hour_is_the_first_one():
    assert moment(read(["2013-11-03T01:30:00"])[0]) == datetime(2013, 11, 3, 5, 30, tzinfo=UTC)


def test_a_time_that_the_clock_skips_is_the_first_instant_after_the_gap():
    assert moment(read(["2013-03-10T02:30:00"])[0]) == datetime(2013, 3, 10, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-31T08:00:00+01:00",
        "2024-01-31 07:00:00Z",
        "2024-01-31T07:00:00.000000+00:00",
        "2024-01-31T02:00:00",
        "2024-01-31 02:00",
        "  2024-01-31T02:00:00 ",
    ],
)
def test_iso_texts_are_read_with_and_without_a_zone(text):
    assert moment(read([text, None])[0]) == datetime(2024, 1, 31, 7, tzinfo=UTC)


def test_texts_with_and_without_a_zone_may_stand_in_one_column():
    found = read(["2024-01-31T07:00:00Z", "2024-01-31T02:00:00"])
    assert found[0] == found[1]


def test_dates_are_midnights_of_the_zone():
    assert moment(read([date(2024, 1, 31)])[0]) == datetime(2024, 1, 31, 5, tzinfo=UTC)


def test_dictionary_encoded_times_are_read():
    array = pa.array(["2024-01-31", "2024-01-31", None]).dictionary_encode()
    assert (read(array) != NO_TIME).tolist() == [True, True, False]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_timestamps_of_every_unit_are_the_same_instant(unit):
    array = pa.array([datetime(2024, 1, 31, 7, tzinfo=UTC)], pa.timestamp(unit, "Europe/Berlin"))
    assert moment(read(array)[0]) == datetime(2024, 1, 31, 7, tzinfo=UTC)


def test_a_text_that_is_no_time_among_times_is_a_missing_time():
    assert (read(["2024-01-31", "unknown", "2024-13-77"]) == NO_TIME).tolist() == [
        False,
        True,
        True,
    ]


def test_times_beyond_the_calendar_are_missing():
    array = pa.array([-(2**62), 2**62, 0], pa.timestamp("us"))
    assert (read(array) == NO_TIME).tolist() == [True, True, False]


def test_a_column_without_any_time_has_no_window():
    assert starts(read(pa.nulls(3)), "1d", "UTC").tolist() == [NO_TIME] * 3


@pytest.mark.parametrize("values", [[1706684400], [1.5]])
def test_numbers_are_refused_as_times_with_what_to_do(values):
    with pytest.raises(BatchError, match=r"holds numbers.*write timestamps"):
        read(values)


def test_numbers_written_as_text_are_refused_too():
    with pytest.raises(BatchError, match="'1706684400', which is no time: write ISO 8601"):
        read(["1706684400"])


def test_going_back_counts_days_on_the_calendar():
    start = cut(["2013-11-10"], "1d")[0]
    earlier = moment(back(start, 28 * 86400, "1d", NEW_YORK)).astimezone(ZoneInfo(NEW_YORK))
    assert earlier.replace(tzinfo=None) == datetime(2013, 10, 13)


def test_going_back_a_month_is_a_whole_month_whatever_its_days():
    start = cut(["2013-08-01"], "1mo")[0]
    assert back(start, 2_629_800, "1mo", NEW_YORK) == cut(["2013-07-15"], "1mo")[0]
