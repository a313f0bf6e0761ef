"""All columns of the portal in which sealed values stand."""

from devices.models import SimulatedLock
from portal.rotation import Store, secret_columns


def stores_of_secrets() -> list[Store]:
    """Those with a SecretField, those of two-factor secrets, and the simulated locks' own."""
    return [*secret_columns(), Store(SimulatedLock, "codes"), Store(SimulatedLock, "pending")]
