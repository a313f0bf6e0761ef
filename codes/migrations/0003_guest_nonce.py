"""A guest's link stands in no table any more: only the nonce that its seal is made with."""

from django.db import migrations, models

import codes.guest_link


class Migration(migrations.Migration):
    dependencies = [
        ("codes", "0002_notice"),
    ]

    operations = [
        migrations.RenameField("accesscode", "guest_token", "guest_nonce"),
        migrations.AlterField(
            model_name="accesscode",
            name="guest_nonce",
            field=models.CharField(default=codes.guest_link.new_nonce, editable=False, max_length=40),
        ),
    ]
