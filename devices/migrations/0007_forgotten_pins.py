"""Finds PINs with work due that nothing else would come back to, however great the fleet."""

from django.db import migrations, models

from portal.operations import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("devices", "0006_flat_warnings"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="pin",
            index=models.Index(
                condition=models.Q(("status__in", ["planned", "gone"]), ("wanted__in", ["present"])),
                fields=["program_at"],
                name="devices_pin_unwritten",
            ),
        ),
        AddIndexConcurrently(
            model_name="pin",
            index=models.Index(
                condition=models.Q(("status__in", ["unknown", "writing", "removing"])),
                fields=["device"],
                name="devices_pin_unsettled",
            ),
        ),
        AddIndexConcurrently(
            model_name="pin",
            index=models.Index(
                condition=models.Q(
                    models.Q(
                        ("seen_until__lt", models.F("wanted_until")),
                        models.Q(("seen_until__isnull", False), ("wanted_until__isnull", True)),
                        ("seen_from__gt", models.F("wanted_from")),
                        models.Q(("seen_from__isnull", False), ("wanted_from__isnull", True)),
                        _connector="OR",
                    ),
                    ("status__in", ["set", "sent"]),
                    ("wanted__in", ["present"]),
                ),
                fields=["device"],
                name="devices_pin_otherwise",
            ),
        ),
        AddIndexConcurrently(
            model_name="pin",
            index=models.Index(
                condition=models.Q(("status__in", ["set"]), ("unknown_at__isnull", False)),
                fields=["unknown_at"],
                name="devices_pin_in_doubt",
            ),
        ),
        AddIndexConcurrently(
            model_name="pin",
            index=models.Index(
                condition=models.Q(
                    ("status__in", ["writing", "unknown", "sent", "set", "removing"]),
                    ("wanted__in", ["present"]),
                    ("wanted_until__isnull", False),
                ),
                fields=["wanted_until"],
                name="devices_pin_outstaying",
            ),
        ),
    ]
