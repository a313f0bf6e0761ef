"""All metrics as Prometheus reads them. Each app measures its own: settings.METRIC_SOURCES names the functions."""

from collections.abc import Callable, Iterable

from django.conf import settings
from django.core.cache import cache
from django.utils.module_loading import import_string
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from portal.tally import families

type Measure = Callable[[], Iterable[Metric]]


class _Given(Collector):
    """Families that are there already, as the client library wants them."""

    def __init__(self, given: Iterable[Metric]) -> None:
        self._given = list(given)

    def collect(self) -> Iterable[Metric]:
        return self._given


def exposition() -> str:
    """The whole text. Raises DatabaseError."""
    measured = [_measured(source, seconds) for source, seconds in settings.METRIC_SOURCES.items()]
    return "".join([*measured, _text(families())])  # the sources first: importing them declares the counters


def _measured(source: str, seconds: int) -> str:
    """What a source measures; for so many seconds the same for all who ask, from any process, if it is costly."""
    measure: Measure = import_string(source)
    if not seconds:
        return _text(measure())
    kept = cache.get_or_set(f"metrics:{source}", lambda: _text(measure()), seconds)
    return str(kept)


def _text(given: Iterable[Metric]) -> str:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Given(given))
    return generate_latest(registry).decode()
