"""Metrics for Prometheus, read from the database, so every process answers the same."""

from collections.abc import Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from campaigns.health.facts import (
    find_last_event,
    find_last_publish,
    find_last_reconcile,
    measure_disks,
    read_signs,
)
from campaigns.health.jobs import list_jobs
from campaigns.health.problems import list_open_problems
from campaigns.models import Problem


def write_metrics(*, at: datetime) -> bytes:
    """Return the metrics in Prometheus's text format; times are seconds since 1970."""
    registry = CollectorRegistry()
    registry.register(_Facts(at))
    return generate_latest(registry)


class _Facts(Collector):
    def __init__(self, at: datetime) -> None:
        self.at = at

    def collect(self) -> Iterator[GaugeMetricFamily]:
        open_kinds = {problem.kind for problem in list_open_problems()}
        yield _family(
            "newsroom_problem",
            "1 while this part is broken",
            "kind",
            {kind: float(kind in open_kinds) for kind in Problem.Kind.values},
        )
        jobs = list_jobs(at=self.at)
        yield _family(
            "newsroom_job_due_rows",
            "Rows of this job that are due",
            "job",
            {job.name: job.due for job in jobs},
        )
        yield _family(
            "newsroom_job_oldest_due_seconds",
            "Age of the oldest due row of this job",
            "job",
            {
                job.name: (self.at - job.oldest_due_at).total_seconds() if job.oldest_due_at else 0
                for job in jobs
            },
        )
        yield _family(
            "newsroom_job_failed_rows",
            "Rows that this job failed on and has not finished since",
            "job",
            {job.name: job.failed for job in jobs},
        )
        times = {
            **read_signs(),
            "event": find_last_event(),
            "publish": find_last_publish(),
            "reconcile": find_last_reconcile(),
        }
        yield _family(
            "newsroom_last_seen_timestamp_seconds",
            "When this was last seen",
            "of",
            {of: seen_at.timestamp() for of, seen_at in times.items() if seen_at},
        )
        disks = measure_disks()
        yield _family(
            "newsroom_disk_free_bytes",
            "Free space under this folder",
            "folder",
            {name: free for name, free, _total in disks},
        )


def _family(name: str, text: str, label: str, values: dict[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for labelled, value in values.items():
        family.add_metric([labelled], value)
    return family
