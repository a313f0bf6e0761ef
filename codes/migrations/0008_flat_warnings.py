"""Finds guests who say that a PIN does not work, and those whose PIN is another one, however great the fleet."""

from django.db import migrations, models

from portal.operations import AddIndexConcurrently
from portal.triggers import Trigger

MARK = "UPDATE codes_accesscode SET another_pin = true WHERE another_pin IS NULL AND "
ANOTHER = "SELECT 1 FROM codes_codepin o WHERE o.code_id = {row}.code_id AND o.id <> {row}.id"
GIVEN_SEVERAL = MARK + "id IN (SELECT code_id FROM codes_codepin GROUP BY code_id HAVING count(*) > 1)"  # noqa: S608


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("codes", "0007_changes"),
        ("backups", "0003_flat_warnings"),
    ]

    operations = [
        migrations.AddField(
            model_name="accesscode",
            name="another_pin",
            field=models.BooleanField(editable=False, null=True),
        ),
        Trigger(
            "codes_accesscode_given_another",
            "codes_codepin",
            ["INSERT"],
            MARK + "id = {row}.code_id AND EXISTS (" + ANOTHER + ")",
        ),
        migrations.RunSQL(GIVEN_SEVERAL, migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="accesscode",
            index=models.Index(
                condition=models.Q(("reported_at__isnull", False)),
                fields=["reported_at"],
                name="codes_accesscode_reported",
            ),
        ),
        AddIndexConcurrently(
            model_name="accesscode",
            index=models.Index(
                condition=models.Q(("another_pin__isnull", False), ("ended_at__isnull", True)),
                fields=["device"],
                name="codes_accesscode_another_pin",
            ),
        ),
    ]
