"""The benchmark's own manners: what it may be asked, what it answers, that it ends well. Never how fast anything is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.__main__ import arguments, table
from tests.bench.figure import Figure, at_least, at_most, unknown, within
from tests.bench.groups import GROUPS, NAMES
from tests.bench.measure import Query, percentile
from tests.bench.replay import changes

ROOT = Path(__file__).resolve().parent.parent


def test_all_figures_are_measured_unless_some_are_named() -> None:
    assert arguments([]).figures == []
    chosen = arguments(["--quick", "--json", "--postgres", "postgresql://x", "pages", "draws"])
    assert (chosen.quick, chosen.json, chosen.postgres) == (True, True, "postgresql://x")
    assert chosen.figures == ["pages", "draws"]


def test_an_unknown_figure_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        arguments(["speed"])
    assert ", ".join(NAMES) in capsys.readouterr().err


def test_each_group_has_a_module() -> None:
    for group in GROUPS:
        assert (ROOT / "tests" / "bench" / f"{group.name}.py").is_file()


def test_a_goal_is_met_up_to_its_limit() -> None:
    assert at_most("page", 40, 100, 0.4, unit="ms", peer="admin").met
    assert not at_most("page", 41, 100, 0.4, unit="ms", peer="admin").met
    assert at_least("rate", 40, 100, 0.4, unit="a second", peer="floor").met
    assert not at_least("rate", 39, 100, 0.4, unit="a second", peer="floor").met
    assert within("memory", 450, 450, unit="MB").met
    assert not within("memory", 451, 450, unit="MB").met


def test_what_cannot_be_measured_is_neither_met_nor_missed() -> None:
    figure = unknown("rate", "≥ 0.4 ×", "needs PostgreSQL")
    assert (figure.met, figure.ours, figure.note) == (None, None, "needs PostgreSQL")


def test_the_table_shows_each_figure() -> None:
    found = [at_most("page", 12.3, 100, 0.4, unit="ms", peer="admin"), unknown("rate", "≥ 0.4 ×", "why")]
    assert table(found).row_count == 2


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([1.0, 2.0], 0.99) == 2.0


def test_all_that_changes_rows_is_the_bare_loops_work_too() -> None:
    changing = ["INSERT INTO a", "\n  UPDATE a SET", "WITH held AS (SELECT id FROM a FOR UPDATE)\n UPDATE b SET"]
    reading = ["SELECT * FROM a FOR UPDATE", "WITH some AS (SELECT 1) SELECT * FROM some"]
    script = changes([Query(sql, None) for sql in [*changing, *reading]], own=[], commits=1)
    assert [sql for sql, _values in script.statements] == changing


def test_another_locks_keys_stand_where_the_ones_own_stood() -> None:
    script = changes([Query("UPDATE a SET b = %s WHERE id = %s", (4, 70))], own=[70], commits=1)
    assert script.of([80]) == [("UPDATE a SET b = %s WHERE id = %s", (4, 80))]


def test_it_gives_a_list_of_objects_and_ends_well() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--json", "bytes"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert found, ended.stderr
    for line in found:
        assert set(line) == set(Figure.__dataclass_fields__)
        assert {"figure", "ours", "against", "ratio", "goal", "met"} <= set(line)
        assert line["ours"] is not None, line
