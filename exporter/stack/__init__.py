"""`exporter stack`: store, exporter, Prometheus, Alertmanager and Grafana on this machine, from the files of a deployment.

For development and for a first look; where several people rely on it, deploy. Each program is a `Part`
(`parts.py` says how they are started), `running.py` starts, watches and stops them.
"""

from exporter.stack.running import Stack
from exporter.stack.settings import Settings

__all__ = ["Settings", "Stack"]
