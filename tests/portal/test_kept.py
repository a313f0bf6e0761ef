"""Rows that stay cannot be deleted in bulk either, by which the admin and a hasty shell would do it."""

import pytest

from backups.models import BackupCode, BackupPool
from codes.models import AccessCode, CodePin
from devices.models import Device, Event
from devices.services import check_lock
from tests import factories


@pytest.mark.parametrize("model", [AccessCode, CodePin, BackupPool, BackupCode, Event])
def test_a_bulk_delete_is_refused(device: Device, model: type) -> None:
    factories.CodePinFactory(code__device=device)
    factories.BackupCodeFactory(pool__device=device)
    check_lock(device)
    before = model.objects.count()
    assert before
    with pytest.raises(TypeError, match="never deleted"):
        model.objects.all().delete()
    assert model.objects.count() == before
