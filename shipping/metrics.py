"""What /metrics shows, in Prometheus' own form: the database's numbers, and what this web process has seen.

Workers are many processes and keep no numbers of their own: whatever is asked of them is in the database.
"""

import os
from collections.abc import Iterator

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from .gauges import Gauge, gauges

SEVERAL = "PROMETHEUS_MULTIPROC_DIR"


class Database(Collector):
    """The gauges of one moment."""

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        return map(_family, gauges())

    def describe(self) -> list[GaugeMetricFamily]:
        """Registering it asks the database nothing."""
        return []


def _family(gauge: Gauge) -> GaugeMetricFamily | CounterMetricFamily:
    family = CounterMetricFamily if gauge.is_counter else GaugeMetricFamily
    made = family(gauge.name, gauge.help, labels=gauge.labels)
    for labels, number in gauge.rows:
        made.add_metric(labels, number)
    return made


def exposition() -> bytes:
    """Everything, in the text format. Raises DatabaseError."""
    database = CollectorRegistry()
    database.register(Database())
    return generate_latest(database) + generate_latest(_web())


def _web() -> CollectorRegistry:
    """One web process keeps its measures in memory; of several each writes files into a folder they share."""
    if SEVERAL not in os.environ:
        return REGISTRY
    shared = CollectorRegistry()
    MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    return shared
