"""What operators of the service see: Prometheus metrics and one structured log line a request, without secrets."""

import logging
import os
import sys
import traceback
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.types import Scope

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


def configure_logs(level: str) -> None:
    """JSON lines on standard error; never a header, a body or a query."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


class Telemetry:
    """Counts and times requests by route; one object an application."""

    def __init__(self) -> None:
        """A registry of its own, so that two applications in one process do not mix."""
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "bursar_requests", "Requests answered", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "bursar_request_seconds", "Time to answer", ("route",), buckets=_BUCKETS, registry=self._registry
        )
        self._meters: dict[tuple[str, str, int | None], tuple[Counter, Histogram]] = {}
        # Bound once: the proxy would look for the configuration with each line.
        self._log: Any = structlog.get_logger().bind()

    def answered(self, scope: Scope, status: int | None, request_id: str, seconds: float) -> None:
        """Note one answer, by the route's template: a path may hold what only its caller should see."""
        route = getattr(scope.get("route"), "path", "none")
        count, duration = self._meters_of(scope["method"], route, status)
        count.inc()
        duration.observe(seconds)
        self._log.info(
            "request", method=scope["method"], route=route, status=status, request_id=request_id,
            milliseconds=round(seconds * 1000, 2),
        )  # fmt: skip

    def _meters_of(self, method: str, route: str, status: int | None) -> tuple[Counter, Histogram]:
        """The labelled meters, kept at hand: finding them takes longer than counting."""
        found = self._meters.get((method, route, status))
        if found is None:
            found = (self._requests.labels(method, route, str(status)), self._seconds.labels(route))
            self._meters[method, route, status] = found
        return found

    def failed(self, request_id: str, error: Exception) -> None:
        """Note a bug, with where it happened but without the values that were at hand."""
        frames = traceback.extract_tb(error.__traceback__)
        where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        self._log.error("failed", request_id=request_id, error=type(error).__name__, where=where)

    def exposition(self) -> bytes:
        """The metrics in Prometheus' text form: this process's, or all those of the service if several answer."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self._registry)
        of_all = CollectorRegistry()
        MultiProcessCollector(of_all)
        return generate_latest(of_all)
