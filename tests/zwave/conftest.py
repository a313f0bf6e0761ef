"""The Z-Wave network, started when a first test asks for it. Every test finds its locks healthy and empty."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.providers import zwave_link
from devices.providers.zwave import ZwaveProvider
from tests.zwave.mocknet import Network, install

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.zwave)


@pytest.fixture(scope="session")
def packages() -> None:
    """The network's Node packages. Missing ones skip the tests on a developer's machine and fail them in CI."""
    if obstacle := install():
        if os.environ.get("CI"):
            pytest.fail(obstacle)
        pytest.skip(obstacle)


@pytest.fixture(scope="session")
def running_network(packages: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    network = Network(tmp_path_factory.mktemp("zwave") / "cache")
    try:
        network.start()
        yield network
    finally:
        network.kill()
        zwave_link.close()


@pytest.fixture
def network(running_network: Network) -> Network:
    running_network.reset()
    return running_network


@pytest.fixture
def own_network(packages: None, tmp_path: Path) -> Iterator[Network]:
    """A second network, for tests that end or stop it."""
    network = Network(tmp_path / "cache")
    try:
        network.start()
        yield network
    finally:
        network.kill()


@pytest.fixture
def provider(network: Network) -> ZwaveProvider:
    return ZwaveProvider(network.url)
