"""The page about the config file knows every key."""

from __future__ import annotations

import re
from typing import Any

import pytest
from config.test_editor import FORMS

from exporter.config import config_reference, forms
from exporter.config.fields import unbuilt_keys
from exporter.config.reference import inline

PAGE = config_reference()


def rows_of(form: Any) -> dict[str, list[str]]:
    """The table of a form on the page, by key."""
    documented = forms.Model if form is forms.Shared else form
    table = PAGE.split(f"\n{documented.__doc__}\n\n")[1].split("\n\n")[0]
    rows = [re.split(r"(?<!\\) \| ", line.strip("| ")) for line in table.splitlines()[2:]]
    return {row[0].strip("`"): row for row in rows}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_every_key_of_a_form_has_a_row_with_meaning_and_example(form: Any) -> None:
    rows = rows_of(form)
    for name, field in form.model_fields.items():
        row = rows[name]
        assert len(row) == 5, row
        assert row[3].startswith(field.description)
        assert row[4].startswith(inline(field.examples[0]).replace("|", "\\|"))
        assert ("required" in row[2]) is field.is_required()


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_a_default_stands_in_the_row_where_it_is_a_plain_value(form: Any) -> None:
    rows = rows_of(form)
    for name, field in form.model_fields.items():
        if isinstance(field.default, str | int | float | list):
            assert rows[name][2] == inline(field.default)


def test_a_key_that_is_refused_says_so_and_stands_in_the_list() -> None:
    (_, to_come) = PAGE.split("## Not built yet\n")
    for form in FORMS:
        for name, advice in unbuilt_keys(form).items():
            assert f"**Not built yet, refused**: {advice}." in rows_of(form)[name][3]
            assert f"| `{name}` | {advice} |" in to_come


def test_every_section_that_is_linked_to_is_there() -> None:
    linked = set(re.findall(r"\]\(#([^)]+)\)", PAGE))
    titles = re.findall(r"^## (.*)$", PAGE, re.MULTILINE)
    assert linked
    assert linked <= {title.lower().replace(" ", "-") for title in titles}


def test_no_table_has_a_row_of_another_width() -> None:
    for table in re.findall(r"(?:^\|.*\n)+", PAGE, re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(widths) == 1, table
