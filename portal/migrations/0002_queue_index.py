"""An index for the question the queue is asked five times a second: which of its tasks is due?

django-q's table has none. `IF NOT EXISTS` because the table is not ours: it may have been added by hand.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0001_initial"),
        ("django_q", "0019_alter_task_options_alter_ormq_key_alter_ormq_lock_and_more"),
    ]

    operations = [
        migrations.RunSQL(
            'CREATE INDEX IF NOT EXISTS portal_queue_due ON django_q_ormq ("key", "lock")',
            "DROP INDEX IF EXISTS portal_queue_due",
        )
    ]
