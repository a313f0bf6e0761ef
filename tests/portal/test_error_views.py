"""A page that could not be made says so: 503 while the database is away, 500 for a fault of ours; never a trace."""

import pytest
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest
from django.test import Client
from django.urls import path
from django.views import View
from pytest_django import Settings

from portal.error_views import server_error as handler500

RAISED: list[Exception] = []


class Breaks(View):
    def get(self, request: HttpRequest) -> None:
        raise RAISED[0]


urlpatterns = [path("breaks/", Breaks.as_view())]
__all__ = ["handler500"]  # Django asks the URLconf for it


def answer_to(error: Exception, settings: Settings) -> tuple[int, str, str]:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = []
    RAISED[:] = [error]
    answer = Client(raise_request_exception=False).get("/breaks/")
    return answer.status_code, answer.headers.get("Retry-After", ""), answer.content.decode()


@pytest.mark.parametrize("error", [OperationalError("server closed"), InterfaceError("connection already closed")])
def test_while_the_database_is_away_it_says_when_to_come_back(error: Exception, settings: Settings) -> None:
    status, again, page = answer_to(error, settings)
    assert (status, again) == (503, "5")
    assert "Wait a few seconds" in page and "server closed" not in page


def test_a_fault_of_ours_is_500_and_shows_no_trace(settings: Settings) -> None:
    status, again, page = answer_to(ValueError("PIN 4711"), settings)
    assert (status, again) == (500, "")
    assert "keep working without the portal" in page and "4711" not in page and "Traceback" not in page
