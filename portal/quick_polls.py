"""Polls that nothing has changed, answered before session, person and membership are read: by one query.

A page's mark (`portal.live`) is sealed with the secret key over the session it was drawn for, the workspace and its
number of changes; that of a lock's page again with the lock's own number and that of what concerns no single lock. Who
brings it with that session's cookie was shown the page less than a minute ago; whatever may have ended the right to it
since (a session that ended, a person or membership that was changed or removed) ends the session's row or raises these
numbers, and then the poll goes the long way like any other request.

A guest's page has its own answer for a poll that brings the page's mark: the view's `unchanged`.

A process draws few pages anew at once, so that a guest at the door never waits behind two hundred open pages: while it
has its hands full, a page is told to ask again. It then says itself how old it is; a mark that ran out is heard.
"""

import threading
from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, ResolverMatch, resolve

from portal import live
from portal.clock import now
from portal.database import as_id, connected
from portal.models import ChangeCount, LockChangeCount
from portal.sessions import stored

AS_MOMENT = models.DateTimeField()

type Handler = Callable[[HttpRequest], HttpResponse]

NUMBERS = f"""
    SELECT
        (SELECT COALESCE(SUM(number), 0) FROM {ChangeCount._meta.db_table} WHERE workspace_id = %s),
        (SELECT COALESCE(SUM(number), 0) FROM {LockChangeCount._meta.db_table} WHERE subject IN (%s, %s))
    FROM {Session._meta.db_table} WHERE session_key = %s AND expire_date > %s"""  # noqa: S608  names of ours


DRAWN_AT_ONCE = 2  # of a process's threads, 4 unless told otherwise
_hands = threading.BoundedSemaphore(DRAWN_AT_ONCE)


def quick_polls(get_response: Handler) -> Handler:
    """Answer what can be answered here, and pass on the rest."""

    def middleware(request: HttpRequest) -> HttpResponse:
        mark = live.brought(request) if request.method == "GET" else None
        view = _view(request.path_info) if mark else None
        if mark is None or view is None:
            return get_response(request)
        if unchanged := getattr(view.func, "unchanged", None):
            return unchanged(mark, **view.kwargs) or get_response(request)
        session = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        if mark.workspace is None or not session or not getattr(view.func, "answers_polls", False):
            return get_response(request)
        numbers = _numbers(mark.workspace, mark.lock, session)
        if numbers is None:
            return get_response(request)
        return live.nothing_new(mark, session, mark.workspace, *numbers) or _drawn(get_response, request, mark)

    return middleware


def _drawn(get_response: Handler, request: HttpRequest, mark: live.Mark) -> HttpResponse:
    """The page's answer, or for lack of hands an empty one, as long as it need not be looked at for the clock."""
    held = _hands.acquire(blocking=False)
    if not held and mark.is_trusted:
        return HttpResponse(status=204, headers={"Cache-Control": "no-store"})
    try:
        return get_response(request)
    finally:
        if held:
            _hands.release()


def _numbers(workspace: UUID, lock: UUID | None, session: str) -> tuple[int, int] | None:
    """The numbers of changes of the workspace, and of the lock and what concerns none; None if the session is over."""
    database = connected()
    space, narrow = as_id(workspace), as_id(lock or workspace)
    at = AS_MOMENT.get_db_prep_value(now(), database)
    with database.cursor() as cursor:
        cursor.execute(NUMBERS, [space, space, narrow, stored(session), at])
        found = cursor.fetchone()
    return (int(found[0]), int(found[1])) if found else None


def _view(path: str) -> ResolverMatch | None:
    try:
        return resolve(path)
    except Resolver404:
        return None
