"""Counts what pages show of each lock by itself, and what concerns no single one."""

from django.db import migrations

from portal.changes import CountChanges, StopCounting

OF_WORKSPACE = "SELECT {row}.workspace_id AS id"
OF_PROPERTY = "SELECT p.workspace_id AS id FROM devices_property p WHERE p.id = {row}.property_id"
OF_DEVICE = (
    "SELECT p.workspace_id AS id FROM devices_device d JOIN devices_property p ON p.id = d.property_id"
    " WHERE d.id = {row}.device_id"
)
SHOWN = [  # all but the marks of queue and lease
    "property_id",
    "hub_id",
    "name",
    "make",
    "model",
    "capabilities",
    "online",
    "online_since",
    "battery",
    "unmanaged",
    "removing_since",
    "seen_at",
    "read_at",
    "read_wanted",
    "failures",
    "trouble",
    "trouble_count",
    "trouble_since",
    "version",
    "next_sync_at",
    "removal",
    "removed_at",
]
COUNTED = [
    ("devices_property", OF_WORKSPACE, "NULL", []),
    ("devices_hub", OF_WORKSPACE, "NULL", []),
    ("devices_device", OF_PROPERTY, "{row}.id", SHOWN),
    ("devices_pin", OF_DEVICE, "{row}.device_id", []),
    ("devices_event", OF_WORKSPACE, "{row}.device_id", []),
]


class Migration(migrations.Migration):
    dependencies = [("devices", "0008_asked_for"), ("portal", "0013_lock_changes")]

    operations = [
        *(StopCounting(table, workspace, columns=columns) for table, workspace, _lock, columns in COUNTED),
        *(CountChanges(table, workspace, lock=lock, columns=columns) for table, workspace, lock, columns in COUNTED),
    ]
