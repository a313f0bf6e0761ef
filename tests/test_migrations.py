"""Every migration after the first release can run while the previous release serves: the README's rules, held.

New code starts after its migrations; until then, and on a host that is upgraded last, old code works on the new tables.
A step that only the next release may take (old code is gone by then) says so in its migration:
`contracts = "nothing has read devices.Pin.old since 0.3"`.
"""

from collections.abc import Iterator

import pytest
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState

from portal.operations import AddIndexConcurrently, RemoveIndexConcurrently

# What the first release brought. Nobody runs anything older, so move it on freely until then.
RELEASED = {
    "portal": "0009_change_counts",
    "devices": "0005_changes",
    "backups": "0002_changes",
    "codes": "0007_changes",
}
BIG = {"pin", "event", "accesscode", "codepin", "backupcode"}  # a lock on one of these keeps guests waiting
CONTRACTING = (
    migrations.RemoveField,
    migrations.RenameField,
    migrations.DeleteModel,
    migrations.RenameModel,
    migrations.AlterModelTable,
)


def objection(operation: Operation, app: str, before: ProjectState, new: set[str]) -> str:
    """Why the operation may not run beside the previous release; "" if it may. `new`: models no old code knows."""
    model = str(getattr(operation, "model_name", getattr(operation, "name", ""))).lower()
    if model in new:
        return ""
    if isinstance(operation, CONTRACTING):
        return "old code still uses it: stop using it in one release, take it away in the next"
    if isinstance(operation, migrations.AddField):
        return _added(operation, model)
    if isinstance(operation, migrations.AlterField):
        return _altered(operation, before.models[app, model])
    if model in BIG and isinstance(operation, migrations.AddIndex) and not isinstance(operation, AddIndexConcurrently):
        return "it locks a big table: use portal.operations.AddIndexConcurrently with atomic = False"
    if (
        model in BIG
        and isinstance(operation, migrations.RemoveIndex)
        and not isinstance(operation, RemoveIndexConcurrently)
    ):
        return "it locks a big table: use portal.operations.RemoveIndexConcurrently with atomic = False"
    if (
        model in BIG
        and isinstance(operation, migrations.AddConstraint)
        and not isinstance(operation, AddConstraintNotValid)
    ):
        return "it locks a big table while all rows are read: AddConstraintNotValid, and validate it later"
    return ""


def _added(operation: migrations.AddField, model: str) -> str:
    field = operation.field
    if not field.null and not field.has_db_default() and not field.many_to_many:
        return "old code inserts rows without it: give it null=True or db_default"
    if model in BIG and (field.db_index or field.unique):
        return "its index locks a big table: db_index=False, and AddIndexConcurrently later"
    return ""


def _altered(operation: migrations.AlterField, model: ModelState) -> str:
    old, new = model.fields[operation.name], operation.field
    if old.null and not new.null:
        return "old code still writes NULL: fill and require it in the next release"
    if old.db_parameters(connection)["type"] == new.db_parameters(connection)["type"]:
        return ""
    if isinstance(old, models.CharField) and isinstance(new, models.CharField):
        if (new.max_length or 1_000_000) >= (old.max_length or 1_000_000):
            return ""
        return "old code writes longer values"
    return "the table is rewritten under a lock: add a column, copy, and switch"


def unreleased() -> Iterator[tuple[migrations.Migration, ProjectState]]:
    """Our migrations since the first release, each with the state before it."""
    graph = MigrationLoader(None).graph
    released = {node for app, name in RELEASED.items() for node in graph.forwards_plan((app, name))}
    for app in RELEASED:
        for node in graph.forwards_plan(graph.leaf_nodes(app)[0]):
            if node[0] == app and node not in released:
                yield graph.nodes[node], graph.make_state(nodes=node, at_end=False)


def test_old_code_works_on_the_tables_of_the_new() -> None:
    found, new = [], set[str]()
    for migration, state in unreleased():
        for operation in migration.operations:
            if isinstance(operation, migrations.CreateModel):
                new.add(operation.name.lower())
            why = objection(operation, migration.app_label, state, new)
            if why and not getattr(migration, "contracts", ""):
                found.append(f"{migration}: {operation.describe()}: {why}.")
            operation.state_forwards(migration.app_label, state)
    assert not found, "\n".join(found)


# The rules themselves


def state() -> ProjectState:
    it = ProjectState()
    fields = [("id", models.BigAutoField(primary_key=True)), ("label", models.CharField(max_length=60, null=True))]
    for name in ("Pin", "Pool"):
        it.add_model(ModelState("shop", name, fields))
    return it


INDEX = models.Index(fields=["label"], name="shop_label")
CHECK = models.CheckConstraint(condition=models.Q(label="x"), name="shop_x")


@pytest.mark.parametrize(
    ("operation", "why"),
    [
        (migrations.RemoveField("pool", "label"), "stop using it"),
        (migrations.RenameField("pool", "label", "name"), "stop using it"),
        (migrations.DeleteModel("Pool"), "stop using it"),
        (migrations.AddField("pool", "size", models.IntegerField(default=5)), "null=True or db_default"),
        (migrations.AddField("pin", "owner", models.IntegerField(null=True, db_index=True)), "AddIndexConcurrently"),
        (migrations.AlterField("pool", "label", models.CharField(max_length=60)), "still writes NULL"),
        (migrations.AlterField("pool", "label", models.CharField(max_length=6, null=True)), "longer values"),
        (migrations.AlterField("pool", "label", models.IntegerField(null=True)), "rewritten"),
        (migrations.AddIndex("pin", INDEX), "AddIndexConcurrently"),
        (migrations.RemoveIndex("pin", "shop_label"), "RemoveIndexConcurrently"),
        (migrations.AddConstraint("pin", CHECK), "AddConstraintNotValid"),
    ],
    ids=lambda it: type(it).__name__ if isinstance(it, Operation) else "",
)
def test_it_objects_to(operation: Operation, why: str) -> None:
    assert why in objection(operation, "shop", state(), set())


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddField("pool", "size", models.IntegerField(null=True)),
        migrations.AddField("pool", "size", models.IntegerField(db_default=5)),
        migrations.AlterField("pool", "label", models.CharField(max_length=90, null=True)),
        migrations.AddIndex("pool", INDEX),
        AddIndexConcurrently("pin", INDEX),
        RemoveIndexConcurrently("pin", "shop_label"),
        AddConstraintNotValid("pin", CHECK),
    ],
    ids=lambda it: type(it).__name__,
)
def test_it_lets_pass(operation: Operation) -> None:
    assert not objection(operation, "shop", state(), set())


def test_a_table_that_no_old_code_knows_is_free() -> None:
    assert not objection(migrations.RemoveField("pool", "label"), "shop", state(), {"pool"})


@pytest.mark.django_db(transaction=True)
def test_an_index_is_built_beside_the_work_and_taken_away_again() -> None:
    before = MigrationLoader(connection).project_state()
    index = models.Index(fields=["removed_at"], name="devices_pin_tried")
    operation, after = AddIndexConcurrently("pin", index), before.clone()
    operation.state_forwards("devices", after)
    with connection.schema_editor(atomic=False) as editor:
        operation.database_forwards("devices", editor, before, after)
    assert "devices_pin_tried" in _indexes()
    with connection.schema_editor(atomic=False) as editor:
        operation.database_backwards("devices", editor, after, before)
    assert "devices_pin_tried" not in _indexes()


@pytest.mark.django_db(transaction=True)
def test_an_index_is_taken_away_beside_the_work_and_built_again() -> None:
    before = MigrationLoader(connection).project_state()
    operation, after = RemoveIndexConcurrently("pin", "devices_pin_in_doubt"), before.clone()
    operation.state_forwards("devices", after)
    with connection.schema_editor(atomic=False) as editor:
        operation.database_forwards("devices", editor, before, after)
    assert "devices_pin_in_doubt" not in _indexes()
    with connection.schema_editor(atomic=False) as editor:
        operation.database_backwards("devices", editor, after, before)
    assert "devices_pin_in_doubt" in _indexes()


def _indexes() -> set[str]:
    with connection.cursor() as cursor:
        return set(connection.introspection.get_constraints(cursor, "devices_pin"))
