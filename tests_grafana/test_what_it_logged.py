"""Last of all, since everything else makes Grafana write: its log holds no error."""

from __future__ import annotations

from tests_grafana.chain import Chain
from tests_grafana.outcome import Outcome

# Message -> why it is none of ours.
EXCEPTED = {
    "Grafana server is running with elevated privileges. This is not recommended": (
        "whoever runs these tests may be root; the compose file's Grafana is not"
    ),
}


def test_no_error_stands_in_grafanas_log(chain: Chain, outcome: Outcome) -> None:
    entries = chain.said()
    errors = [e for e in entries if e["level"] in ("error", "crit", "eror")]
    assert [e for e in errors if e["msg"] not in EXCEPTED] == []
    outcome.logged = len(entries)
