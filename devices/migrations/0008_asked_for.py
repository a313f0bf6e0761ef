"""Finds locks that somebody asked for, so that they go before a bulk of others."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0007_forgotten_pins"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="device",
            index=models.Index(
                condition=models.Q(("queued_until__isnull", False)),
                fields=["queued_until"],
                name="devices_device_queued",
            ),
        ),
    ]
