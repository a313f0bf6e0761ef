"""Finds what is unsettled, or should have left its lock, by an index that SQLite takes too."""

from django.db import migrations, models

from portal.operations import AddIndexConcurrently, RemoveIndexConcurrently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("devices", "0009_lock_changes"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="pin",
            index=models.Index(
                condition=models.Q(("status__in", ["unknown", "writing", "removing"])),
                fields=["status"],
                name="devices_pin_not_settled",
            ),
        ),
        AddIndexConcurrently(
            model_name="pin",
            index=models.Index(
                condition=models.Q(
                    ("status__in", ["writing", "unknown", "sent", "set", "removing"]),
                    ("wanted__in", ["tolerated", "absent"]),
                ),
                fields=["wanted"],
                name="devices_pin_to_leave",
            ),
        ),
        RemoveIndexConcurrently(model_name="pin", name="devices_pin_unsettled"),
        RemoveIndexConcurrently(model_name="pin", name="devices_pin_leaving"),
    ]
