"""Finds what is offline, never due, without a pool or overdue, however great the fleet."""

from django.db import migrations, models

from portal.operations import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("devices", "0005_changes"),
    ]

    operations = [
        migrations.AddField(
            model_name="device",
            name="has_pool",
            field=models.BooleanField(editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name="device",
            index=models.Index(
                condition=models.Q(("next_sync_at", None)), fields=["removal"], name="devices_device_never_due"
            ),
        ),
        migrations.AddIndex(
            model_name="device",
            index=models.Index(
                condition=models.Q(("has_pool", None)), fields=["removal"], name="devices_device_no_pool"
            ),
        ),
        migrations.AddIndex(
            model_name="device",
            index=models.Index(condition=models.Q(("online", "no")), fields=["removal"], name="devices_device_offline"),
        ),
        migrations.AddIndex(
            model_name="hub",
            index=models.Index(
                condition=models.Q(("down_since__isnull", False)), fields=["down_since"], name="devices_hub_down"
            ),
        ),
        AddIndexConcurrently(
            model_name="pin",
            index=models.Index(
                condition=models.Q(
                    ("status__in", ["writing", "unknown", "sent", "set", "removing"]),
                    ("wanted__in", ["tolerated", "absent"]),
                ),
                fields=["device"],
                name="devices_pin_leaving",
            ),
        ),
    ]
