"""The index, the pages of snapshots and their JSON: what a browser and a program are answered."""

from __future__ import annotations

import gzip
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from starlette.testclient import TestClient
from store.samples import snapshot

from exporter.alerts import RULES
from exporter.prometheus import Exposition
from exporter.report import content_security_policy
from exporter.server import app, snapshots
from exporter.server.snapshots import Pages
from exporter.snapshot import from_dict
from exporter.store import Store
from exporter.store.latest import LatestReader
from exporter.store.links import Links
from exporter.store.reader import Reader

NOWHERE = "postgresql://127.0.0.1:1/x"  # a port on which nobody listens
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
HOSTILE = '<script>alert("1")</script>&\'%s'


Asking = Callable[..., TestClient]


@pytest.fixture
def client_of() -> Iterator[Asking]:
    """Whoever asks a server whose pages come from a store: `client_of(url)`."""
    readers: list[Reader] = []

    def asking(url: str, **more: Any) -> TestClient:
        readers.append(Reader(url))
        made = app(Exposition(LatestReader(NOWHERE)), Pages(readers[-1], **more))
        return TestClient(made, headers=BROWSER)

    yield asking
    for reader in readers:
        reader.close()


@pytest.fixture(scope="module")
def numbers(shared_database: str) -> list[int]:
    """Three days of a stream, one of a hostile model, one that was deleted."""
    with Store(shared_database) as store:
        made = [snapshot(day=day) for day in range(3)]
        made += [snapshot(HOSTILE, project="q", tags={"arm": HOSTILE}), snapshot("gone")]
        found = [store.write(one).snapshot_id for one in made]
        store.delete(found[-1:])
        store.tell_links("q", Links(grafana="https://grafana.example.com"))
    return found


@pytest.fixture
def client(client_of: Asking, shared_database: str, numbers: list[int]) -> TestClient:
    assert numbers
    return client_of(shared_database)


@pytest.fixture
def away(client_of: Asking) -> TestClient:
    return client_of(NOWHERE)


def links_of(text: str) -> list[str]:
    return [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]*)"', text)]


def test_the_index_leads_to_the_newest_of_every_stream(
    client: TestClient, numbers: list[int]
) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    links = links_of(answer.text)
    assert {f"snapshots/{number}" for number in numbers[:4]} <= set(links)
    assert f"snapshots/{numbers[4]}" not in links
    for link in links:
        assert client.get(f"/{link}").status_code == 200, link


def test_the_index_can_be_of_one_project_or_model(client: TestClient, numbers: list[int]) -> None:
    links = links_of(client.get("/", params={"project": "q"}).text)
    assert f"snapshots/{numbers[3]}" in links
    assert f"snapshots/{numbers[0]}" not in links
    assert "https://grafana.example.com/d/evaluation-fleet-overview" in links
    assert client.get("/", params={"projekt": "q"}).status_code == 400


def test_an_index_of_nothing_says_how_snapshots_are_made(client_of: Asking, database: str) -> None:
    answer = client_of(database).get("/")
    assert answer.status_code == 200
    assert "exporter run" in answer.text


def test_an_index_that_leaves_streams_out_says_so(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "not shown" not in client.get("/").text
    monkeypatch.setattr(snapshots, "STREAMS", 1)
    assert "Streams that are not shown: 1, those of segments first" in client.get("/").text


def test_a_page_stands_among_its_neighbours_and_leads_on(
    client: TestClient, numbers: list[int]
) -> None:
    answer = client.get(f"/snapshots/{numbers[1]}")
    assert answer.status_code == 200
    links = links_of(answer.text)
    assert links == ["../", f"{numbers[1]}.json", str(numbers[0]), str(numbers[2])]
    for link in links:
        assert client.get(f"/snapshots/{link}").status_code == 200


def test_a_page_leads_to_grafana_where_that_is_known(
    client_of: Asking, shared_database: str, client: TestClient, numbers: list[int]
) -> None:
    found = [
        link for link in links_of(client.get(f"/snapshots/{numbers[3]}").text) if "/d/" in link
    ]
    assert [link.split("?")[0] for link in found] == [
        "https://grafana.example.com/d/evaluation-model-overview",
        "https://grafana.example.com/d/evaluation-column",
    ]
    assert all("var-project=q&" in link and "var-model=%3Cscript%3E" in link for link in found)
    own = client_of(shared_database, project="p", links=Links(grafana="https://own.example.com"))
    assert "https://own.example.com/d/" in own.get(f"/snapshots/{numbers[0]}").text


def test_names_from_the_data_run_no_script(client: TestClient, numbers: list[int]) -> None:
    for path in ("/", f"/snapshots/{numbers[3]}"):
        answer = client.get(path)
        assert "<script" not in answer.text
        assert answer.headers["content-security-policy"] == content_security_policy()


def test_the_json_of_a_snapshot_is_the_one_form(client: TestClient, numbers: list[int]) -> None:
    answer = client.get(f"/snapshots/{numbers[0]}.json")
    assert answer.headers["content-type"] == "application/json"
    assert from_dict(answer.json()).model == "m"
    assert answer.json()["snapshot"]["id"] == numbers[0]


@pytest.mark.parametrize(
    ("asked", "places"),
    [
        ({}, [3, 0, 1, 2]),
        ({"project": "", "model": "", "evaluation": "", "status": ""}, [3, 0, 1, 2]),
        ({"project": "p"}, [0, 1, 2]),
        ({"model": HOSTILE}, [3]),
        ({"evaluation": "quality"}, []),
        ({"segment": "", "batch": "", "model": "m"}, [0, 1, 2]),
        ({"status": ["fail", "error"]}, [3, 0, 1, 2]),
        ({"status": "success"}, []),
        ({"tag": "arm=champion"}, [0, 1, 2]),
        ({"from": "2026-10-02", "to": "2026-10-03T00:00:00Z"}, [1]),
        ({"model": "m", "limit": "2"}, [1, 2]),
    ],
    ids=str,
)
def test_the_list_is_of_those_that_fit(
    client: TestClient, numbers: list[int], asked: dict[str, Any], places: list[int]
) -> None:
    answer = client.get("/snapshots", params=asked)
    assert answer.status_code == 200
    found = [head["id"] for head in answer.json()["snapshots"]]
    assert sorted(found) == sorted(numbers[place] for place in places)
    assert [head["window_start"] for head in answer.json()["snapshots"]] == sorted(
        head["window_start"] for head in answer.json()["snapshots"]
    )


def test_the_heads_of_the_list_are_those_of_the_json_form(
    client: TestClient, numbers: list[int]
) -> None:
    (head,) = client.get("/snapshots?model=m&limit=1").json()["snapshots"]
    assert head == client.get(f"/snapshots/{numbers[2]}.json").json()["snapshot"]


def test_days_are_those_of_the_projects_timezone(
    client_of: Asking, shared_database: str, numbers: list[int]
) -> None:
    tokyo = client_of(shared_database, timezone=ZoneInfo("Asia/Tokyo"))
    found = tokyo.get("/snapshots?model=m&from=2026-10-02&to=2026-10-03").json()["snapshots"]
    assert [head["id"] for head in found] == [numbers[1]]  # 1 October 15:00 to 2 October 15:00
    assert tokyo.get("/snapshots?from=2026-10-03T09:00:01").json()["snapshots"] == []


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("modle=m", "nothing is asked by 'modle'; did you mean 'model'?"),
        ("xyz=m", "nothing is asked by 'xyz'; there are project, model"),
        ("status=failed", "there is no status 'failed'; did you mean 'fail'?"),
        ("tag=arm", "tag: 'arm' should be NAME=VALUE"),
        ("from=yesterday", "from: 'yesterday' is no day or time: write 2026-03-01"),
        ("limit=0", "limit: '0' is no whole number from 1 to 10000"),
        ("limit=-1", "limit: '-1' is no"),
        ("limit=%C2%B2", "limit: '²' is no"),
        ("limit=99999999999", "limit: '99999999999' is no"),
    ],
)
def test_what_cannot_be_asked_is_told_as_json(client: TestClient, query: str, told: str) -> None:
    answer = client.get(f"/snapshots?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(told)


def test_a_snapshot_that_was_deleted_is_gone(client: TestClient, numbers: list[int]) -> None:
    page = client.get(f"/snapshots/{numbers[4]}")
    assert page.status_code == 410
    assert "was deleted" in page.text
    assert links_of(page.text) == ["../"]
    one = client.get(f"/snapshots/{numbers[4]}.json")
    assert (one.status_code, "--force" in one.json()["error"]) == (410, True)


@pytest.mark.parametrize("path", ["/nothing", "/snapshots/999999", f"/snapshots/{10**40}", "/snapshots/a/b/c"])  # fmt: skip
def test_a_page_that_is_not_there_says_where_to_go(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-security-policy"] == content_security_policy()
    (up,) = links_of(answer.text)
    assert client.get(path.rpartition("/")[0] + "/" + up).status_code == 200


def test_a_program_is_told_in_a_line(client: TestClient) -> None:
    answer = client.get("/nothing", headers={"Accept": "*/*"})
    assert (answer.status_code, answer.text) == (404, "there is no such page: the index shows what there is\n")  # fmt: skip
    assert "exporter list" in client.get("/snapshots/999999.json").json()["error"]


@pytest.mark.parametrize("path", ["/", "/snapshots", "/snapshots/1", "/snapshots/1.json"])
def test_while_the_store_is_away_that_is_said_and_not_where_it_is(
    away: TestClient, path: str
) -> None:
    answer = away.get(path)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert "does not answer" in answer.text
    assert "127.0.0.1" not in answer.text
    assert away.get("/metrics").status_code == 200


def test_every_answer_tells_a_browser_to_be_careful(
    client: TestClient, away: TestClient, numbers: list[int]
) -> None:
    paths = ("/", "/snapshots", f"/snapshots/{numbers[0]}", "/metrics", "/-/ready", "/nothing")
    for answer in [asked.get(path) for path in paths for asked in (client, away)]:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("path", ["/", "/snapshots", "/snapshots/{}", "/snapshots/{}.json"])
def test_what_is_known_already_is_not_sent_again(
    client: TestClient, numbers: list[int], path: str
) -> None:
    path = path.format(numbers[0])
    first = client.get(path)
    assert first.headers["cache-control"] == "private, no-cache"
    mark = first.headers["etag"]
    again = client.get(path, headers={"If-None-Match": f'"other", {mark}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", mark)
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_page_changes_its_mark_with_its_neighbours(client_of: Asking, database: str) -> None:
    client = client_of(database)
    with Store(database) as store:
        path = f"/snapshots/{store.write(snapshot()).snapshot_id}"
        before = client.get(path).headers["etag"]
        store.write(snapshot(day=1))
        assert client.get(path).headers["etag"] != before


def test_pages_are_packed_for_who_takes_it(client: TestClient, numbers: list[int]) -> None:
    path = f"/snapshots/{numbers[0]}"
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    with client.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as packed:
        assert packed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(b"".join(packed.iter_raw())) == plain.content


def test_head_is_get_without_the_body(client: TestClient, numbers: list[int]) -> None:
    for path in ("/", "/snapshots", f"/snapshots/{numbers[0]}", f"/snapshots/{numbers[0]}.json"):
        got, asked = client.get(path), client.head(path)
        assert (asked.status_code, asked.headers["etag"]) == (200, got.headers["etag"])
    assert client.post("/snapshots").status_code == 405


def test_who_waits_too_long_a_queue_is_told_to_come_again(client: TestClient) -> None:
    pages: Pages = client.app.state.pages  # type: ignore[attr-defined]
    pages.waiting = snapshots.WAITING
    answer = client.get("/snapshots")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert pages.waiting == snapshots.WAITING
    assert client.get("/metrics").status_code == 200


def test_metrics_are_answered_while_every_reader_waits_for_the_store(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()
    monkeypatch.setattr(Reader, "find", lambda *_: ended.wait(30) and [])
    with client:  # one event loop for all requests, as the server has
        asking = [threading.Thread(target=client.get, args=("/snapshots",)) for _ in range(6)]
        for thread in asking:
            thread.start()
        assert client.get("/metrics").status_code == 200
        assert not ended.is_set()
        ended.set()
        for thread in asking:
            thread.join()


def test_an_alert_leads_to_the_newest_snapshot_of_its_stream(
    shared_database: str, numbers: list[int], client_of: Asking
) -> None:
    client = client_of(shared_database)
    asked = "/snapshots/latest?project=p&model=m&evaluation=inputs&segment=&tag=arm%3Dchampion"
    led = client.get(asked, follow_redirects=False)
    assert (led.status_code, led.headers["location"]) == (307, str(numbers[2]))
    assert client.get(asked).status_code == 200
    assert client.get("/snapshots/latest?model=nobody").status_code == 404


def test_the_runbook_has_a_place_for_every_alert(client_of: Asking) -> None:
    page = client_of(NOWHERE).get("/runbook")
    assert page.status_code == 200
    for rule in RULES:
        assert f'<section id="{rule.name.lower()}">' in page.text
    assert "<code>exporter alerts CONFIG</code>" in page.text
    assert page.headers["content-security-policy"] == content_security_policy()
