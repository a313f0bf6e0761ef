"""Counts what pages show of the codes of each lock by itself."""

from django.db import migrations

from portal.changes import CountChanges, StopCounting

OF_DEVICE = (
    "SELECT p.workspace_id AS id FROM devices_device d JOIN devices_property p ON p.id = d.property_id"
    " WHERE d.id = {row}.device_id"
)
OF_CODE = (
    "SELECT p.workspace_id AS id FROM codes_accesscode c JOIN devices_device d ON d.id = c.device_id"
    " JOIN devices_property p ON p.id = d.property_id WHERE c.id = {row}.code_id"
)
OF_WORKSPACE = "SELECT {row}.workspace_id AS id"
ITS_CODES = "(SELECT c.device_id FROM codes_accesscode c WHERE c.id = {row}.code_id)"
COUNTED = [
    ("codes_accesscode", OF_DEVICE, "{row}.device_id"),
    ("codes_codepin", OF_CODE, ITS_CODES),
    ("codes_takenon", OF_WORKSPACE, "COALESCE({row}.device_id, " + ITS_CODES + ")"),
]


class Migration(migrations.Migration):
    dependencies = [("codes", "0009_taken_on_for_a_pin"), ("devices", "0009_lock_changes")]

    operations = [
        *(StopCounting(table, workspace) for table, workspace, _lock in COUNTED),
        *(CountChanges(table, workspace, lock=lock) for table, workspace, lock in COUNTED),
    ]
