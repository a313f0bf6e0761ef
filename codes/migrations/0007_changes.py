"""Counts what pages show of guests' codes."""

from django.db import migrations

from portal.changes import CountChanges

OF_DEVICE = (
    "SELECT p.workspace_id AS id FROM devices_device d JOIN devices_property p ON p.id = d.property_id"
    " WHERE d.id = {row}.device_id"
)
OF_CODE = (
    "SELECT p.workspace_id AS id FROM codes_accesscode c JOIN devices_device d ON d.id = c.device_id"
    " JOIN devices_property p ON p.id = d.property_id WHERE c.id = {row}.code_id"
)


class Migration(migrations.Migration):
    dependencies = [
        ("codes", "0006_live_codes"),
        ("devices", "0005_changes"),
    ]

    operations = [
        CountChanges("codes_accesscode", OF_DEVICE),
        CountChanges("codes_codepin", OF_CODE),
        CountChanges("codes_takenon", "SELECT {row}.workspace_id AS id"),
    ]
