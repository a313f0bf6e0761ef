"""Counts what pages show of pools."""

from django.db import migrations

from portal.changes import CountChanges

OF_DEVICE = (
    "SELECT p.workspace_id AS id FROM devices_device d JOIN devices_property p ON p.id = d.property_id"
    " WHERE d.id = {row}.device_id"
)
OF_POOL = (
    "SELECT p.workspace_id AS id FROM backups_backuppool b JOIN devices_device d ON d.id = b.device_id"
    " JOIN devices_property p ON p.id = d.property_id WHERE b.id = {row}.pool_id"
)


class Migration(migrations.Migration):
    dependencies = [
        ("backups", "0001_initial"),
        ("devices", "0005_changes"),
    ]

    operations = [
        CountChanges("backups_backuppool", OF_DEVICE),
        CountChanges("backups_backupcode", OF_POOL),
    ]
