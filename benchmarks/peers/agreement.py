"""`make test-peers`: Evidently's names, put to it and to us on frames at random; the report goes to docs/peer-tests.md."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.peers.__main__ import SILENT, environment
from benchmarks.peers.answering import Answering, Difference, compared
from benchmarks.peers.drawing import Case, cases
from benchmarks.peers.drawing_unstructured import unstructured
from benchmarks.peers.reporting import Outcome, write
from exporter.errors import PlanError

ALONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # threads slow small frames down
SCRIPT = Path(__file__).parent / "asking_evidently.py"


def main(seeds: int, folder: Path) -> int:
    """0 where every figure is the same or its difference is known."""
    os.environ.update(SILENT | ALONE)
    drawn = [*cases(range(seeds)), *unstructured(range(seeds))]
    told = _asked(drawn, folder)
    outcome = Outcome(told["evidently"], seeds, told["names"], len(drawn))
    for i, case in enumerate(drawn):
        answers = json.loads(Path(folder, f"{i:03}.answers.json").read_text("utf-8"))
        _compare(case, answers, outcome)
    write(outcome)
    for difference in outcome.unknown:
        print(_told(difference), file=sys.stderr)
    for name in outcome.missing:
        print(f"a name of Evidently's is not in the tables: {name}", file=sys.stderr)
    return 1 if outcome.unknown or outcome.missing else 0


def _asked(drawn: list[Case], folder: Path) -> Any:
    folder.mkdir(parents=True, exist_ok=True)
    for i, case in enumerate(drawn):
        asked = folder / f"{i:03}.case.json"
        said = {"columns": case.columns, "task": case.task, "questions": case.questions}
        text = json.dumps(said)
        if asked.exists() and asked.read_text("utf-8") == text:
            continue
        (folder / f"{i:03}.answers.json").unlink(missing_ok=True)
        case.reference.to_pickle(folder / f"{i:03}.reference.pkl")
        case.current.to_pickle(folder / f"{i:03}.current.pkl")
        for part, frame in case.beside.items():
            frame.to_pickle(folder / f"{i:03}.{part}.pkl")
        asked.write_text(text, "utf-8")
    command = [environment("evidently"), SCRIPT, folder]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def _compare(case: Case, answers: list[Any], outcome: Outcome) -> None:
    answering = Answering(case)
    for question, theirs in zip(case.questions, answers, strict=True):
        if isinstance(theirs, str):
            outcome.raised[question[1], theirs] += 1
            continue
        try:
            ours = answering.answers(question)
        except PlanError as error:
            raise SystemExit(f"{case.name}, {question}: {error}") from error
        found = list(compared(case, question, theirs, ours))
        outcome.compared[question[0], question[1]] += len(found)
        for difference in filter(None, found):
            outcome.differs(difference)


def _told(difference: Difference) -> str:
    kind, name, options = difference.question
    return (
        f"{difference.case}: {kind} {name} {options} {difference.key}: "
        f"{difference.theirs} is {difference.ours} here"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.agreement")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--folder", type=Path, help="keeps frames and answers; those there are read"
    )
    given = parser.parse_args()
    with TemporaryDirectory() as temporary:
        sys.exit(main(given.seeds, given.folder or Path(temporary)))
