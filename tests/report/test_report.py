"""A snapshot as a page and as a notebook cell: what is said, and that nothing in the data can do harm."""

from __future__ import annotations

import re
import subprocess
import sys
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from functools import cache
from hashlib import sha256
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from report.snapshots import DAY, HOSTILE, Seen, drifted, frame, hostile, stored

import exporter
from exporter import report
from exporter.report import Link, Neighbours, content_security_policy, index, notebook_cell, page
from exporter.report.findings import MOST_SHOWN
from exporter.snapshot import (
    CheckResult,
    Distribution,
    DriftRow,
    MetricRow,
    Snapshot,
    from_dict,
)

BLANK = Snapshot(0)


def outcomes(task: str) -> Snapshot:
    random = np.random.default_rng(3)
    made = {}
    for name, noise in (("current", 2.0), ("reference", 1.0)):
        truth = random.normal(10, 3, 400)
        said = truth + random.normal(0, noise, 400)
        if task == "binary":
            chance = 1 / (1 + np.exp(10 - said))
            made[name] = pd.DataFrame({"y": (truth > 10).astype(int), "p": chance})
        else:
            made[name] = pd.DataFrame({"y": truth, "said": said})
    binary = task == "binary"
    return stored(
        exporter.evaluate(
            made["current"],
            made["reference"],
            columns={"target": "y", "probability": "p", "positive": 1}
            if binary
            else {"target": "y", "prediction": "said"},
            task=task,
            metrics=["classification" if binary else "regression"],
        )
    )


def all_errors() -> Snapshot:
    reason = "the batch has no such column"
    return stored(
        replace(
            BLANK,
            rows=100,
            metrics=tuple(MetricRow("mean", f"c{i}", error=reason) for i in range(50)),
            drift=tuple(DriftRow(f"c{i}", "numerical", "ks", error=reason) for i in range(50)),
            tests=tuple(
                CheckResult("mean", "mean", f"c{i}", status="error", message=reason)
                for i in range(50)
            ),
        )
    )


SNAPSHOTS = {
    "blank": lambda: BLANK,
    "drifted": drifted,
    "hostile": hostile,
    "without reference": lambda: exporter.evaluate(frame(3), metrics=["data_summary"]),
    "empty batch": lambda: exporter.evaluate(
        frame(3).head(0), frame(3), metrics=["data_quality", "data_drift"], tests=["data_stability"]
    ),
    "all skipped": lambda: exporter.evaluate(
        frame(3).head(9), frame(3), metrics=["data_drift"], tests=["data_drift"]
    ),
    "regression": lambda: outcomes("regression"),
    "classification": lambda: outcomes("binary"),
    "errors everywhere": all_errors,
}
KINDS = pytest.mark.parametrize("kind", SNAPSHOTS)


@cache
def made(kind: str) -> Snapshot:
    return SNAPSHOTS[kind]()


def words(snapshot: Snapshot, **options) -> str:
    return Seen(page(snapshot, **options)).words()


# ---- whatever the snapshot is like


@KINDS
def test_every_tag_is_closed_in_its_order(kind):
    snapshot = made(kind)
    assert Seen(page(snapshot)).unbalanced == []
    assert Seen(notebook_cell(snapshot)).unbalanced == []


@KINDS
def test_there_is_no_script_no_inline_style_and_nothing_from_elsewhere(kind):
    seen = Seen(page(made(kind)))
    assert not seen.names() & {"script", "iframe", "object", "embed", "img", "link", "form", "base"}
    names = {name for name, _ in seen.attributes()}
    assert "style" not in names
    assert "src" not in names
    assert not [name for name in names if name.startswith("on")]
    assert "url(" not in seen.styles[0]
    assert "@import" not in seen.styles[0]


@KINDS
def test_the_policy_allows_exactly_the_style_of_the_page(kind):
    seen = Seen(page(made(kind)))
    (style,) = seen.styles
    digest = b64encode(sha256(style.encode()).digest()).decode()
    told = _policy_of(seen)
    assert told == f"default-src 'none'; style-src 'sha256-{digest}'"
    assert content_security_policy().startswith(told + "; ")


def _policy_of(seen: Seen) -> str:
    (policy,) = (
        attributes["content"]
        for tag, attributes in seen.tags
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    return policy or ""


@KINDS
def test_a_page_has_one_heading_of_the_first_level_and_skips_none(kind):
    levels = [int(tag[1]) for tag, _ in Seen(page(made(kind))).tags if re.match(r"h\d$", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@KINDS
def test_tables_have_captions_and_drawings_have_titles(kind):
    text = page(made(kind))
    tables = re.findall(r"<table.*?</table>", text, re.DOTALL)
    assert [t for t in tables if "<caption" not in t or 'scope="col"' not in t] == []
    drawings = re.findall(r'<svg[^>]*role="img".*?</svg>', text, re.DOTALL)
    assert [d for d in drawings if "<title>" not in d or "<desc>" not in d] == []
    assert len(drawings) + text.count('aria-hidden="true"') >= text.count("<svg")


@KINDS
def test_a_cell_is_a_fragment_whose_style_stays_inside(kind):
    text = notebook_cell(made(kind))
    seen = Seen(text)
    assert text.startswith('<div class="evaluation-report')
    assert text.rstrip().endswith("</div>")
    assert not seen.names() & {"html", "head", "body", "meta", "script"}
    assert "id" not in {name for name, _ in seen.attributes()}
    rules = re.sub(r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}", "{}", seen.styles[0])
    assert rules.split() == [".evaluation-report:not(#_)", "{}"]


@KINDS
def test_a_page_can_be_written_as_utf_8(kind):
    assert page(made(kind)).encode("utf-8")


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_every_colour_of_text_is_readable_on_both_grounds(mode):
    style = Seen(page(BLANK)).styles[0]
    found = re.findall(r"--(\w+): light-dark\((#\w{6}), (#\w{6})\)", style)
    colours = {name: pair[mode] for name, *pair in found}
    grounds = [colours.pop(name) for name in ("paper", "raised")]
    colours.pop("line")  # no text
    faint = {n for n, c in colours.items() for g in grounds if contrast(c, g) < 4.5}
    assert len(colours) > 8
    assert not faint


def contrast(one: str, other: str) -> float:
    """The ratio of luminances, as accessibility guidelines define it."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


# ---- the verdict


def test_the_head_says_what_failed_and_what_it_is_about():
    snapshot = drifted(revision=1234)
    text = words(snapshot)
    failed = snapshot.counts["fail"]
    assert f"{failed} of {len(snapshot.tests)}\u00a0tests failed" in Seen(page(snapshot)).text
    for part in (
        "churn",
        "inputs",
        "Sunday 1 March 2026, UTC",
        "fixed",
        "500 rows",
        "arm=champion",
    ):
        assert part in text
    assert "1,234 (replaced 1,233 times)" in text
    assert "2 March 2026, 02:00 UTC" in text


def test_a_few_failed_tests_are_named_in_the_head():
    tests = [CheckResult("missing_ratio", "missing_ratio", name, status="fail", value=1.0, upper=0.5) for name in "ab"]  # fmt: skip
    assert "2 of 2 tests failed: missing_ratio of a and missing_ratio of b." in words(
        replace(BLANK, tests=tests)
    )


def test_the_title_begins_with_the_status():
    assert "<title>FAIL · churn · inputs · 1 Mar 2026</title>" in page(drifted())


def test_a_snapshot_whose_tests_all_passed_says_so():
    found = exporter.evaluate(frame(3), frame(3), tests=["data_drift"])
    assert f"All {len(found.tests)} tests passed." in words(found)
    assert "No drift in 3 columns." in words(found)
    assert "What did not hold" not in words(found)


def test_a_snapshot_without_tests_is_not_called_good():
    text = words(exporter.evaluate(frame(3), metrics=["data_summary"]))
    assert "Skipped" in text
    assert "Nothing was tested: the evaluation has no tests." in text


def test_skipped_tests_are_told_with_their_reason():
    found = SNAPSHOTS["all skipped"]()
    text = words(found)
    assert f"None of {len(found.tests)} tests was judged: 9 rows, fewer than min_rows (30)." in text
    assert "What was not tested" in text


def test_an_empty_batch_says_that_it_has_no_rows():
    assert "The batch has no rows." in words(SNAPSHOTS["empty batch"]())


def test_a_named_batch_without_a_window_is_called_by_its_name():
    text = words(drifted(batch="pull-request-7", window_start=None, window_end=None))
    assert "batch pull-request-7" in text
    assert "none: a named batch" in text


def test_times_are_told_in_the_timezone_asked_for():
    text = words(drifted(), timezone=ZoneInfo("Asia/Tokyo"))
    assert "Sunday 1 March 2026, 09:00 to 2 March 2026, 09:00 JST (1 day)" in text


def test_status_is_said_in_words_not_by_colour_alone():
    text = page(drifted())
    assert re.search(r'<b class="s fail">Fail</b>', text)
    assert re.search(r"<desc>\d+ fail, \d+ success</desc>", text)


# ---- tests


def test_every_failed_test_is_named_with_figure_and_bound():
    snapshot = drifted(9)
    rows = re.findall(r"<tr>.*?</tr>", page(snapshot).split("<details>")[0], re.DOTALL)
    told = [" ".join(Seen(row).words().split()) for row in rows]
    for test in (t for t in snapshot.tests if t.status == "fail"):
        assert [row for row in told if f"{test.column} {test.test}".strip() in row]
    assert [row for row in told if "Share of the compared columns that have drifted" in row]
    (ratio,) = (row for row in told if row.startswith("Fail drifted_columns_ratio"))
    assert ratio.endswith("100 % below 30 %")


def test_beyond_the_first_failed_tests_the_others_stand_among_all():
    tests = [CheckResult("mean", "mean", f"c{i}", status="fail", value=2.0, upper=1.0) for i in range(90)]  # fmt: skip
    text = page(replace(BLANK, rows=9, tests=tests))
    head, _, every = text.partition("<details>")
    assert head.count('<b class="s fail">Fail</b>') == MOST_SHOWN + 1  # the verdict's own
    assert "50 more failed tests" in head
    assert [f"c{i}" for i in range(90) if f"<b>c{i}</b>" not in every] == []


def test_bounds_are_told_in_the_unit_of_the_figure():
    tests = [
        CheckResult("missing_ratio", "missing_ratio", "a", value=0.5, upper=0.0407, message="0.5, at most 0.0407"),
        CheckResult("row_count", "row_count", value=930, lower=0, message="930, above 0"),
        CheckResult("column_count", "column_count", value=15, lower=15, upper=15),
        CheckResult("mean_error", "mean_error", value=-13.4, lower=-4.4, upper=4.4),
        CheckResult("column_drift", "column_drift", "a", value=0.2, upper=0.1),
        CheckResult("mean", "mean", "a", value=3.0, message="3, one of 1, 2"),
    ]  # fmt: skip
    text = words(replace(BLANK, tests=tests))
    for part in ("50 % at most 4.07 %", "930 rows above 0 rows", "15 columns exactly 15 columns"):
        assert part in text
    for part in ("between \u22124.4 and 4.4", "0.2 threshold 0.1", "3, one of 1, 2"):
        assert part in text


def test_the_columns_that_a_figure_counts_are_named_whatever_they_are_called():
    message = "2, at most 0: 'above all', 'widened: '"
    test = CheckResult(
        "constant_columns", "constant_columns", status="fail", value=2, upper=0, message=message
    )
    text = words(replace(BLANK, tests=[test]))
    assert "Columns with at most one value: 'above all', 'widened: '" in text
    assert "2 columns at most 0 columns" in text


def test_a_test_that_could_not_be_judged_says_why():
    text = words(all_errors())
    assert "50 of 50 tests could not be judged" in text
    assert "the batch has no such column" in text


# ---- columns and figures


def test_drifted_columns_come_by_severity_with_a_drawing_each():
    snapshot = drifted(6)
    text = page(snapshot).split("<details>")[0]
    named = re.findall(r'<li class="card"><h3><b>(.*?)</b>', text)
    ordered = sorted(snapshot.drift, key=lambda row: -(row.severity or 0))
    assert named == [row.column for row in ordered if row.drifted]
    assert len(re.findall(r"<title>(?:Histogram|Shares of the categories) of", text)) == len(named)


def test_every_column_and_every_figure_is_there():
    snapshot = drifted(6)
    every = Seen(page(snapshot).split("All columns</h2>")[1])
    for row in snapshot.metrics:
        if row.column:
            assert row.column in every.text
            assert row.metric in every.text


def test_a_columns_drawing_is_there_once():
    text = page(drifted(6))
    titles = re.findall(r"<title>(?:Histogram|Shares of the categories) of (.*?)</title>", text)
    assert sorted(titles) == [f"feature_{i:03d}" for i in range(6)]


def test_quality_stands_beside_the_references_and_the_baseline():
    text = words(outcomes("regression"))
    row = re.search(r"rmse · Root of the mean squared error (\S+) (\S+) \S+ % worse (\S+)", text)
    assert row is not None
    now, then, baseline = map(float, row.groups())
    assert then < now < baseline


def test_a_classifier_has_its_confusion_matrix_and_its_classes():
    text = words(outcomes("binary"))
    assert "Rows by actual and predicted class said 0 said 1" in text
    assert "Quality of each class class precision recall f1 roc_auc" in text
    assert "roc_auc · Chance that a row of a class is scored above one of another" in text
    assert "Share of the class by its probability probability calibration" in text
    assert re.search(r"Curves at roc_curve pr_curve 0 \S+ % \S+ ", text)


def test_curves_of_very_many_classes_and_decisions_at_other_thresholds_make_no_table():
    cell = MetricRow("confusion", label="0→1", value=7.0, params={"threshold": 0.3})
    points = [MetricRow("roc_curve", label=f"{i}: 0.05", value=0.5) for i in range(99)]
    text = words(replace(BLANK, metrics=[cell, *points]))
    assert "Curves" not in text
    assert "Rows by actual and predicted class said" not in text
    assert "confusion · 0→1" in text


def test_names_of_classes_with_arrows_stand_in_their_own_cells():
    labels = ("a→a", "a→b\\→c", "b\\→c→a", "b\\→c→b\\→c")
    rows = [MetricRow("confusion", label=x, value=float(i)) for i, x in enumerate(labels)]
    text = words(replace(BLANK, metrics=rows))
    assert "said a said b→c is a 0 1 is b→c 2 3" in text


def test_figures_that_could_not_be_had_are_told_by_reason():
    text = words(all_errors())
    assert "the batch has no such column · 100 figures: c0, c1" in text
    assert "50 columns could not be compared." in text


def test_metrics_that_this_program_does_not_know_are_shown_all_the_same():
    row = MetricRow("of_some_plugin", value=0.123456, reference=0.2, name="my figure")
    text = words(replace(BLANK, metrics=[row, replace(row, column="a")]))
    assert "my figure 0.1235 0.2" in text


def test_a_distribution_that_does_not_fit_its_edges_is_left_out():
    odd = Distribution("a", (0.0, 1.0), None, (1,), None)
    assert "Histogram" not in page(replace(BLANK, distributions=[odd]))


def test_a_snapshot_read_back_from_json_looks_the_same():
    snapshot = drifted()
    assert page(from_dict(snapshot.as_dict())) == page(snapshot)


# ---- sizes


@pytest.mark.parametrize(("columns", "most"), [(60, 200_000), (200, 620_000)])
def test_a_page_stays_small(columns, most):
    assert len(page(drifted(columns)).encode()) <= most


# ---- hostile names


def test_hostile_names_stay_text():
    text = page(hostile(), links=[Link(HOSTILE[0], "https://grafana.example/?" + HOSTILE[0])])
    seen = Seen(text)
    assert "script" not in seen.names()
    assert "alert(1)" in seen.text
    assert "{{ 7*7 }}" in seen.text
    assert "<script" not in text
    assert seen.styles == Seen(page(BLANK)).styles
    assert {tag for tag, _ in seen.tags} <= {tag for tag, _ in Seen(page(drifted())).tags} | {
        "nav", "a", "dd", "dl", "dt", "br", "code"
    }  # fmt: skip


def test_what_turns_or_breaks_text_is_replaced():
    text = page(hostile())
    assert not re.search("[\x00\x1b\u202e\ud800-\udfff]", text)
    assert "\ufffdgnp.exe" in text


def test_a_long_name_is_cut_where_it_would_break_the_layout():
    head = page(hostile()).split("<details>")[0]
    assert "x" * 200 not in head


# ---- around the page


def test_neighbours_lead_to_their_pages():
    day = timedelta(days=1)
    before = stored(BLANK, id=6, window_start=DAY - day, window_end=DAY)
    after = drifted(id=8, window_start=DAY + day, window_end=DAY + 2 * day)
    seen = Seen(page(drifted(), neighbours=Neighbours([before], [after])))
    links = {attributes["href"]: attributes["title"] for tag, attributes in seen.tags if tag == "a"}
    assert links == {"6": "28 Feb 2026: skipped", "8": "2 Mar 2026: fail"}
    assert ("aria-current", "page") in seen.attributes()


def test_links_are_shown_and_escaped():
    link = Link("Grafana", "https://grafana.example/d/model?var-model=a&from=1")
    assert 'href="https://grafana.example/d/model?var-model=a&amp;from=1">Grafana' in page(BLANK, links=[link])  # fmt: skip


@pytest.mark.parametrize(
    "href", ["javascript:alert(1)", " JavaScript:alert(1)", "data:text/html,x"]
)
def test_a_link_that_would_run_something_is_refused(href):
    with pytest.raises(ValueError, match="http"):
        Link("x", href)


def test_the_index_shows_the_latest_of_each_stream_the_worst_models_first():
    day = timedelta(days=1)
    heads = [
        drifted(id=1),
        stored(BLANK, id=2, window_start=DAY + day, window_end=DAY + 2 * day),
        drifted(id=3, model="zebra"),
        stored(BLANK, id=4, segment="country=CH"),
    ]
    seen = Seen(index(heads))
    links = [attributes["href"] for tag, attributes in seen.tags if tag == "a"]
    assert links == ["snapshots/3", "snapshots/2", "snapshots/1", "snapshots/2", "snapshots/4"]
    assert "3 streams of 2 models in 1 project." in seen.words()
    assert seen.unbalanced == []


def test_the_project_that_is_worst_off_stands_first_in_the_index():
    heads = [stored(BLANK, id=1, project="aardvark"), drifted(id=2, project="zoo")]
    text = Seen(index(heads)).words()
    assert text.index("zoo") < text.index("aardvark")


def test_the_index_of_nothing_says_what_to_type():
    assert "exporter run" in Seen(index([])).text


def test_the_index_escapes_names_and_keeps_the_same_policy():
    seen = Seen(index([hostile()]))
    assert "script" not in seen.names()
    assert _policy_of(seen) in content_security_policy()


def test_a_snapshot_shows_itself_in_a_notebook():
    snapshot = drifted()
    assert snapshot._repr_html_() == notebook_cell(snapshot)


def test_a_report_loads_templates_only_when_one_is_made():
    code = "import sys, exporter.report; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_public_names_are_these():
    assert sorted(report.__all__) == ["Link", "Neighbours", "Part", "content_security_policy", "index", "notebook_cell", "notice", "page", "sheet"]  # fmt: skip
