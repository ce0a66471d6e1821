"""A folder that looks like Grafana's, with a program that answers as it does and notes what it was given."""

from __future__ import annotations

import sys
from pathlib import Path

PROGRAM = """\
#!{python}
import json, os, subprocess, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])  # as Grafana has its plugins
given = {{"arguments": sys.argv[1:], "environment": dict(os.environ), "child": child.pid}}
with open({notes!r}, "w") as file:
    json.dump(given, file)


class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/api/health" else 404)
        self.end_headers()

    def log_message(self, *_):
        pass


place = (os.environ["GF_SERVER_HTTP_ADDR"], int(os.environ["GF_SERVER_HTTP_PORT"]))
HTTPServer(place, Answers).serve_forever()
"""


def grafana_in(folder: Path) -> Path:
    """The home of a stand-in; what its program was given is found in `given.json` there."""
    home = folder / "grafana"
    (home / "bin").mkdir(parents=True)
    (home / "conf").mkdir()
    (home / "conf" / "defaults.ini").touch()
    program = home / "bin" / "grafana"
    program.write_text(PROGRAM.format(python=sys.executable, notes=str(home / "given.json")))
    program.chmod(0o755)
    return home
