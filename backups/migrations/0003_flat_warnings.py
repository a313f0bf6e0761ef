"""Finds pools that are exhausted, short of spares or pulled from lately, however great the fleet."""

from django.db import migrations, models

from portal.operations import AddIndexConcurrently
from portal.triggers import Trigger

SPARES = (
    "SELECT count(*) FROM backups_backupcode c"
    " WHERE c.pool_id = backups_backuppool.id AND c.drawn_at IS NULL AND c.retired_at IS NULL"
)
COUNT = f"UPDATE backups_backuppool SET complete = CASE WHEN ({SPARES}) >= size THEN true END"  # noqa: S608  fixed text
HAS_POOL = "UPDATE devices_device SET has_pool = true"
HAVE_POOLS = HAS_POOL + " WHERE id IN (SELECT device_id FROM backups_backuppool)"  # noqa: S608


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("backups", "0002_changes"),
        ("devices", "0006_flat_warnings"),
    ]

    operations = [
        migrations.AddField(
            model_name="backuppool",
            name="complete",
            field=models.BooleanField(editable=False, null=True),
        ),
        Trigger(
            "backups_pool_complete_by_code",
            "backups_backupcode",
            ["INSERT", "UPDATE OF drawn_at, retired_at"],
            f"{COUNT} WHERE id = {{row}}.pool_id",
        ),
        Trigger(
            "backups_pool_complete_by_size", "backups_backuppool", ["UPDATE OF size"], f"{COUNT} WHERE id = {{row}}.id"
        ),
        Trigger(
            "backups_device_has_pool", "backups_backuppool", ["INSERT"], f"{HAS_POOL} WHERE id = {{row}}.device_id"
        ),
        migrations.RunSQL(COUNT, migrations.RunSQL.noop),
        migrations.RunSQL(HAVE_POOLS, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="backuppool",
            index=models.Index(condition=models.Q(("complete", None)), fields=["device"], name="backups_pool_short"),
        ),
        migrations.AddIndex(
            model_name="backuppool",
            index=models.Index(
                condition=models.Q(("exhausted_since__isnull", False)),
                fields=["exhausted_since"],
                name="backups_pool_exhausted",
            ),
        ),
        AddIndexConcurrently(
            model_name="backupcode",
            index=models.Index(
                condition=models.Q(("drawn_at__isnull", False)), fields=["drawn_at"], name="backups_code_drawn_lately"
            ),
        ),
    ]
