"""The task queue in the admin: nothing stored there is run by looking at it, and a task that hangs can be helped."""

import base64
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import Failure, OrmQ, Schedule, Success
from django_q.signing import SignedPackage

from devices.models import Device
from portal.models import User
from portal.queue import Broker, enqueue
from portal.staff import page_of
from tests.staff.test_actions import say_yes
from tests.staff.test_pages import list_of

RAN: list[str] = []


def run(word: str) -> str:
    RAN.append(word)
    return word


class Bomb:
    """Runs something when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return run, ("boom",)


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


@pytest.fixture
def acting(client: Client, arto: User) -> Client:
    client.force_login(arto)
    return client


def failed(
    args: Any, *, func: str = "codes.tasks.sync_lock", result: Any = "KeyError : why\nline 9999, PIN 734915"
) -> Failure:
    at = timezone.now()
    ended = {"started": at, "stopped": at, "success": False, "attempt_count": 1}
    return Failure.objects.create(id="f" * 32, name="lost", func=func, args=args, kwargs={}, result=result, **ended)


def bombed(table: type[Failure] | type[Success]) -> None:
    """As somebody who can write to the database would put it there."""
    payload = base64.b64encode(pickle.dumps((Bomb(),))).decode()
    failed(())
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE django_q_task SET args = %s, result = %s, success = %s", [payload, payload, table is Success]
        )


@pytest.mark.parametrize("table", [Failure, Success])
def test_looking_at_a_finished_task_runs_nothing(acting: Client, table: type[Failure]) -> None:
    bombed(table)
    assert acting.get(list_of(table)).status_code == 200
    assert acting.get(reverse(f"admin:django_q_{table._meta.model_name}_change", args=["f" * 32])).status_code == 200
    assert RAN == []


def test_running_a_task_again_that_holds_a_trap_is_refused(acting: Client) -> None:
    bombed(Failure)
    told = say_yes(acting, [Failure(pk="f" * 32)], "run_again")
    assert "does not know this task" in told[0]
    assert RAN == [] and not OrmQ.objects.exists()


@pytest.mark.parametrize(
    "payload", ["no package", "signed:wrongly:at:all", SignedPackage.dumps({"func": Bomb(), "args": ()})]
)
def test_looking_at_a_queued_task_runs_nothing(acting: Client, payload: str) -> None:
    RAN.clear()
    queued = OrmQ.objects.create(key="portal", payload=payload, lock=timezone.now())
    for url in (list_of(OrmQ), page_of(queued)):
        assert "not readable" in acting.get(url).content.decode()
    assert RAN == []


def test_a_task_names_the_lock_it_is_about(acting: Client, device: Device) -> None:
    enqueue("codes.tasks.sync_lock", str(device.pk))
    failed((str(device.pk),))
    for table in (OrmQ, Failure):
        assert f'<a href="{page_of(device)}">{device.pk}</a>' in acting.get(list_of(table)).content.decode()


def test_no_pin_is_shown_even_if_somebody_sent_one(acting: Client, device: Device) -> None:
    enqueue("codes.tasks.sync_lock", str(device.pk), "734915", 734915)
    failed((str(device.pk), "734915", 734915))
    for table in (OrmQ, Failure):
        for url in (list_of(table), page_of(table.objects.get())):
            assert "734915" not in acting.get(url).content.decode()


def test_a_failure_tells_why(acting: Client) -> None:
    task = failed(())
    assert "KeyError" in acting.get(list_of(Failure)).content.decode()
    assert "PIN ••••" in acting.get(page_of(task)).content.decode()


def test_a_failed_task_is_run_again_once(acting: Client, arto: User, device: Device) -> None:
    task = failed((str(device.pk),))
    say_yes(acting, [task], "run_again")
    assert OrmQ.objects.get().task["args"] == (str(device.pk),)
    assert not Failure.objects.exists()
    log = LogEntry.objects.get()
    assert (log.user, log.object_id, log.change_message) == (arto, task.pk, "Run again")


@pytest.mark.parametrize("func", ["os.system", "shutil.rmtree", "codes.tasks.gone", "codes.nowhere.task", "portal"])
def test_only_tasks_of_the_portal_are_run_again(acting: Client, func: str) -> None:
    told = say_yes(acting, [failed(("x",), func=func)], "run_again")
    assert "does not know this task" in told[0]
    assert Failure.objects.exists() and not OrmQ.objects.exists()


def test_a_failure_is_forgotten(acting: Client) -> None:
    say_yes(acting, [failed(())], "forget")
    assert not Failure.objects.exists() and not OrmQ.objects.exists()


def test_a_stuck_task_is_handed_out_at_once(acting: Client, device: Device) -> None:
    enqueue("codes.tasks.sync_lock", str(device.pk))
    broker = Broker()
    taken = broker.dequeue()
    assert taken and "A worker has it" in acting.get(list_of(OrmQ)).content.decode()
    assert OrmQ.objects.get().lock > timezone.now()
    say_yes(acting, [OrmQ.objects.get()], "hand_out")
    assert broker.dequeue()


def test_a_task_is_taken_off_the_queue(acting: Client, device: Device) -> None:
    enqueue("codes.tasks.sync_lock", str(device.pk))
    say_yes(acting, [OrmQ.objects.get()], "drop")
    assert not OrmQ.objects.exists()
    assert LogEntry.objects.get().change_message == "Take off the queue"


def test_a_task_that_was_done_meanwhile_is_no_error(acting: Client) -> None:
    response = acting.post(list_of(OrmQ), {"action": "drop", "_selected_action": ["77"], "yes": "yes"})
    assert response.status_code == 302


@pytest.mark.parametrize("model", [Failure, Success, OrmQ, Schedule])
def test_no_task_is_written_by_hand(staff: Client, device: Device, model: Any) -> None:
    enqueue("codes.tasks.sync_lock", str(device.pk))
    before = OrmQ.objects.values_list("payload", "lock").get()
    name = f"admin:django_q_{model._meta.model_name}"
    assert staff.get(reverse(f"{name}_add")).status_code == 403
    assert staff.post(reverse(f"{name}_add"), {"func": "os.system", "args": "'true'"}).status_code == 403
    if model is OrmQ:
        assert staff.post(page_of(OrmQ.objects.get()), {"payload": "x", "key": "y"}).status_code == 403
    assert OrmQ.objects.values_list("payload", "lock").get() == before


def test_a_schedule_says_how_its_last_run_ended(acting: Client) -> None:
    failed(())
    Schedule.objects.create(name="sweep", func="codes.tasks.sweep", schedule_type="I", minutes=1, task="f" * 32)
    assert "Failed" in acting.get(list_of(Schedule)).content.decode()


def test_the_queues_own_signature_is_what_is_checked() -> None:
    assert Conf.PREFIX == "portal"
