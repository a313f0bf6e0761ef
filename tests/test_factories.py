"""The rows tests are built from are themselves valid."""

from backups.models import BackupCode
from devices.models import Device, SimulatedLock
from tests import factories


def test_a_lock_with_a_pool_and_a_guest(device: Device, lock: SimulatedLock) -> None:
    pool = factories.BackupPoolFactory(device=device)
    factories.BackupCodeFactory.create_batch(5, pool=pool)
    own = factories.CodePinFactory(code__device=device)
    assert own.pin.device == device
    assert BackupCode.objects.ready().count() == 5
    assert lock.name == "Front door"
    assert device.caps is not None and device.caps.slots == 30
