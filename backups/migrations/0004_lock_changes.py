"""Counts what pages show of the pool of each lock by itself."""

from django.db import migrations

from portal.changes import CountChanges, StopCounting

OF_DEVICE = (
    "SELECT p.workspace_id AS id FROM devices_device d JOIN devices_property p ON p.id = d.property_id"
    " WHERE d.id = {row}.device_id"
)
OF_POOL = (
    "SELECT p.workspace_id AS id FROM backups_backuppool b JOIN devices_device d ON d.id = b.device_id"
    " JOIN devices_property p ON p.id = d.property_id WHERE b.id = {row}.pool_id"
)
ITS_POOLS = "(SELECT b.device_id FROM backups_backuppool b WHERE b.id = {row}.pool_id)"
COUNTED = [("backups_backuppool", OF_DEVICE, "{row}.device_id"), ("backups_backupcode", OF_POOL, ITS_POOLS)]


class Migration(migrations.Migration):
    dependencies = [("backups", "0003_flat_warnings"), ("devices", "0009_lock_changes")]

    operations = [
        *(StopCounting(table, workspace) for table, workspace, _lock in COUNTED),
        *(CountChanges(table, workspace, lock=lock) for table, workspace, lock in COUNTED),
    ]
