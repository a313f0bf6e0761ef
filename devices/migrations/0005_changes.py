"""Counts what pages show of locks, and finds those that are being removed."""

from django.db import migrations, models

from portal.changes import CountChanges

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


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0004_team_events"),
        ("portal", "0009_change_counts"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="device",
            index=models.Index(
                condition=models.Q(("removal", "kept"), _negated=True),
                fields=["removal"],
                name="devices_device_leaving",
            ),
        ),
        CountChanges("devices_property", "SELECT {row}.workspace_id AS id"),
        CountChanges("devices_hub", "SELECT {row}.workspace_id AS id"),
        CountChanges("devices_device", OF_PROPERTY, columns=SHOWN),
        CountChanges("devices_pin", OF_DEVICE),
        CountChanges("devices_event", "SELECT {row}.workspace_id AS id"),
    ]
