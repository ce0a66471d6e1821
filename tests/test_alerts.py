"""What a test says about alerts: read from the config, kept in the store, and counted in windows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import psycopg
import pyarrow as pa
import pytest
from store.samples import DAY, FIRST, rows, snapshot

import exporter
from exporter.alerts import RULES
from exporter.errors import PlanError
from exporter.prometheus import Exposition
from exporter.snapshot import Alert, CheckResult, Snapshot, Status, content_hash, from_dict
from exporter.store import Store
from exporter.store.expected import Expected
from exporter.store.latest import LatestReader
from exporter.store.links import Links

ALERTING = "select test, severity, failures, failures_wanted, windows_wanted from grafana.alerting_tests order by test"


def of_tests(*tests: Any) -> dict[str, Alert | None]:
    """The alert of each test's result."""
    made = exporter.evaluate(pa.table({"age": [1.0, 2.0, None]}), tests=list(tests))
    return {result.test: result.alert for result in made.tests}


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (False, Alert("none")),
        (True, None),
        ({"severity": "info"}, Alert("info")),
        ({"after": 3}, Alert("page", 3, 3)),
        ({"after": "2 of 3"}, Alert("page", 2, 3)),
        ({"severity": "warning", "after": "1"}, Alert("warning")),
    ],
)
def test_an_alert_is_a_severity_after_so_many_failures(said: Any, meant: Alert | None) -> None:
    assert of_tests({"missing_count": {"eq": 0, "alert": said}}) == {"missing_count": meant}


def test_a_test_that_is_not_critical_warns_unless_it_says_otherwise() -> None:
    found = of_tests({"missing_count": {"eq": 0, "critical": False, "alert": {"after": 2}}})
    assert found == {"missing_count": Alert("warning", 2, 2)}


def test_a_preset_hands_its_alert_to_every_part() -> None:
    found = of_tests({"data_quality": {"alert": {"after": "2 of 3"}}})
    assert len(found) > 3
    assert set(found.values()) == {Alert("page", 2, 3)}


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("page", "expected false, or"),
        ({"severity": "pgae"}, "there is no severity 'pgae'.*did you mean 'page'"),
        ({"sevirity": "page"}, "an alert has no 'sevirity'.*'severity'"),
        ({"after": "3 of 2"}, "expected failures and windows"),
        ({"after": 0}, "expected failures and windows"),
        ({"after": "2 of 1000"}, "at most 100 windows"),
    ],
)
def test_an_alert_that_cannot_be_is_refused(said: Any, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        of_tests({"missing_count": {"eq": 0, "alert": said}})


def test_the_json_form_has_an_alert_only_where_the_test_has_one() -> None:
    plain, own = snapshot(), with_alert(Alert("info", 2, 3))
    assert all("alert" not in test for test in plain.as_dict()["tests"])
    assert own.as_dict()["tests"][0]["alert"] == {"severity": "info", "failures": 2, "windows": 3}
    assert from_dict(own.as_dict()).tests == own.tests
    assert content_hash(plain) != content_hash(own)


def with_alert(alert: Alert | None, status: Status = "fail", day: int = 0) -> Snapshot:
    test = CheckResult(
        "few gaps", "missing_ratio", "temp", status=status, value=1.0, upper=0.5, alert=alert
    )
    return replace(snapshot(day=day), tests=(test,))


def told(url: str) -> list[tuple[Any, ...]]:
    return rows(url, ALERTING)


def write(url: str, statuses: str, alert: Alert | None, first: int = 0) -> None:
    """One window a letter: s, w, f, e, or - for one that was skipped."""
    words: dict[str, Status] = {
        "s": "success",
        "w": "warning",
        "f": "fail",
        "e": "error",
        "-": "skipped",
    }
    with Store(url) as store:
        for day, letter in enumerate(statuses, first):
            store.write(with_alert(alert, words[letter], day))


@pytest.mark.parametrize(
    ("statuses", "alert", "expected"),
    [
        ("f", None, [("few gaps", "page", 1, 1, 1)]),
        ("fs", None, []),
        ("f-", None, []),
        ("f", Alert("none"), []),
        ("sff", Alert("page", 2, 3), [("few gaps", "page", 2, 2, 3)]),
        ("ffs", Alert("warning", 2, 3), [("few gaps", "warning", 2, 2, 3)]),
        ("ffss", Alert("page", 2, 3), []),
        ("f-f", Alert("page", 2, 2), [("few gaps", "page", 2, 2, 2)]),
        ("sf", Alert("page", 2, 3), []),
        ("ew", Alert("info", 2, 2), [("few gaps", "info", 2, 2, 2)]),
    ],
)
def test_persistence_is_counted_in_windows(
    database: str, statuses: str, alert: Alert | None, expected: list[tuple[Any, ...]]
) -> None:
    write(database, statuses, alert)
    assert told(database) == expected
    assert gauges(database) == [f'severity="{severity}"' for _, severity, *_ in expected]


def gauges(url: str) -> list[str]:
    """The last label of each alert on /metrics."""
    found = [line for line in scraped(url) if line.startswith("evaluation_test_alert{")]
    return [line.partition("}")[0].rpartition(",")[2] for line in found]


def scraped(url: str) -> list[str]:
    """The lines of /metrics."""
    reader = LatestReader(url)
    exposition = Exposition(reader, max_series=1000, forget=timedelta(days=90), segments="tests")
    exposition.refresh(datetime(2026, 11, 2, tzinfo=UTC))
    reader.close()
    return exposition.body(packed=False).decode().splitlines()


def test_a_backdated_window_and_a_revised_one_count_at_once(database: str) -> None:
    alert = Alert("page", 2, 3)
    write(database, "f", alert, first=5)
    assert told(database) == []
    write(database, "f", alert, first=3)  # known late, and two days before
    assert told(database) == [("few gaps", "page", 2, 2, 3)]
    write(database, "s", alert, first=3)
    with Store(database) as store:
        later = replace(with_alert(alert, "success", 3), computed_at=snapshot().computed_at + DAY)
        assert store.write(later) is not None
    assert told(database) == []
    assert rows(database, "select max(time) from grafana.tests")[0][0] == FIRST + 5 * DAY


def test_alerting_tests_are_counted_by_severity_also_where_there_are_none(database: str) -> None:
    write(database, "f", Alert("warning"))
    assert samples(database, "evaluation_alerting_tests") == {
        "page": "0",
        "warning": "1",
        "info": "0",
    }


def samples(url: str, name: str) -> dict[str, str]:
    """The values of a gauge by its last label's value."""
    found = [line.rpartition(" ") for line in scraped(url) if line.startswith(f"{name}{{")]
    return {labels.rpartition('="')[2].rstrip('"}'): value for labels, _, value in found}


def test_a_stream_has_the_addresses_of_its_dashboard_and_report(database: str) -> None:
    with Store(database) as store:
        store.write(snapshot("a b&c"))
        store.tell_links("p", Links("https://e.example", "https://g.example"))
    (line,) = [line for line in scraped(database) if line.startswith("evaluation_stream_links{")]
    assert (
        'dashboard="https://g.example/d/evaluation-model-overview?var-project=p&var-model=a+b%26c"'
        in line
    )
    assert (
        'report="https://e.example/snapshots/latest?project=p&model=a+b%26c&evaluation=inputs&segment=&tag=arm%3Dchampion"'
        in line
    )


def test_without_addresses_the_report_is_on_this_machine(database: str) -> None:
    write(database, "s", None)
    (line,) = [line for line in scraped(database) if line.startswith("evaluation_stream_links{")]
    assert 'report="http://127.0.0.1:9877/snapshots/latest?project=p&model=m&' in line
    assert "dashboard=" not in line


@pytest.mark.parametrize(("minutes", "expected"), [(10, "1"), (-1, "0")])
def test_a_test_alert_fires_until_its_end(database: str, minutes: int, expected: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "insert into evaluation.test_alert(until) values (now() + %s * interval '1 minute')",
            (minutes,),
        )
    assert f"evaluation_exporter_test_alert {expected}" in scraped(database)
    assert len(rows(database, "select * from grafana.test_alert")) == int(expected)


def test_what_never_had_a_batch_is_shown_with_when_it_should_have_had_one(database: str) -> None:
    never = Expected('O\'Brien "x"', "inputs", 3600, 600)
    with Store(database) as store:
        store.tell_expected("p", [never, Expected("m", "inputs", 0, 0)])
    write(database, "s", None)  # of m
    due = rows(database, "select extract(epoch from due)::float8 from grafana.never_evaluated")
    head = 'evaluation_first_batch_due_timestamp_seconds{project="p",model="O\'Brien \\"x\\"",evaluation="inputs"} '
    lines = [line for line in scraped(database) if line.startswith("evaluation_first_batch_due")]
    assert [line.startswith(head) for line in lines] == [True]
    assert float(lines[0].removeprefix(head)) == pytest.approx(due[0][0], abs=0.01)


def found(url: str, name: str) -> list[tuple[Any, ...]]:
    """The instances that a rule's SQL gives."""
    return rows(url, next(rule.sql for rule in RULES if rule.name == name))


def write_now(url: str, statuses: str, alert: Alert | None) -> None:
    """The same as `write`, evaluated today."""
    words = {"s": "success", "f": "fail"}
    with Store(url) as store:
        for day, letter in enumerate(statuses):
            made = with_alert(alert, cast("Status", words[letter]), day)
            store.write(replace(made, computed_at=datetime.now(UTC)))


@pytest.mark.parametrize(
    ("statuses", "alert", "windows"),
    [
        ("sfff", None, [3.0]),
        ("sff", None, []),
        ("fff", Alert("warning"), []),  # it warns, however often
        ("fff", Alert("none"), []),
        ("fffs", Alert("page", 2, 4), []),  # pages still, and passes now
    ],
)
def test_only_what_pages_pages_again_after_three_windows_in_a_row(
    database: str, statuses: str, alert: Alert | None, windows: list[float]
) -> None:
    write_now(database, statuses, alert)
    assert [row[-1] for row in found(database, "EvaluationTestFailingRepeatedly")] == windows


@pytest.mark.parametrize(("days", "wanted"), [(20, [1.0]), (40, [])])
def test_a_stream_that_is_silent_for_long_tells_nobody(
    database: str, days: int, wanted: list[float]
) -> None:
    end = datetime.now(UTC) - days * DAY
    with Store(database) as store:
        old = replace(with_alert(None), window_start=end - DAY, window_end=end, computed_at=end)
        store.write(old)
    assert [row[-1] for row in found(database, "EvaluationTestsFailing")] == wanted


def test_a_failing_test_says_since_when_and_what_is_missing(database: str) -> None:
    write(database, "sfsff", Alert("page", 3, 3))
    query = "select alerting, failures, streak, since from grafana.watched_tests"
    assert rows(database, query) == [(False, 2, 2, FIRST + 3 * DAY)]
    assert told(database) == []
