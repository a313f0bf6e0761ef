"""Error reports to Sentry, if a DSN is set: scrubbed like log lines, without local variables and bodies."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import sentry_sdk
from sentry_sdk.types import Event, Hint

from portal import scrub
from portal.context import bound

if TYPE_CHECKING:
    from sentry_sdk._types import DataCollectionUserOptions, KeyValueCollectionBehaviour

OFF: "KeyValueCollectionBehaviour" = {"mode": "off"}
# Each switch by name, for what is left out is collected. In older words: send_default_pii and local variables off.
NOTHING: "DataCollectionUserOptions" = {
    "user_info": False,
    "cookies": OFF,
    "http_headers": {"request": OFF},
    "http_bodies": [],
    "url_query_params": OFF,
    "graphql": {"document": False, "variables": False},
    "gen_ai": {"inputs": False, "outputs": False},
    "database_query_data": False,
    "queues": False,
    "stack_frame_variables": False,
}
DATABASE = ("django.db", "psycopg", "sqlite3")  # whose messages print the row's values


def start(dsn: str, *, environment: str, **more: Any) -> None:
    """Report this process' unhandled errors and error lines from now on. `more` goes to the client, for tests."""
    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        data_collection=NOTHING,
        max_request_body_size="never",
        before_send=scrubbed,
        before_breadcrumb=lambda crumb, hint: scrub.anything(crumb),
        before_send_transaction=scrubbed,
        **more,
    )


def scrubbed(event: Event, hint: Hint) -> Event:
    """The event without PINs, guests' links and the database's messages, and with the ids of what it is about."""
    raised = hint.get("exc_info")
    names = dict(_names(raised[1] if raised else None))
    for told in event.get("exception", {}).get("values", ()):
        if str(told.get("module")).startswith(DATABASE):
            told["value"] = names.get(str(told.get("type")), str(told.get("type")))
    if "logentry" in event:  # among its params, each alone, a value no longer says what it is
        event["logentry"] = {name: value for name, value in event["logentry"].items() if name != "params"}
    clean: Event = scrub.anything(event)
    clean["tags"] = {**dict(clean.get("tags") or {}), **bound()}
    return clean


def _names(error: BaseException | None) -> Iterator[tuple[str, str]]:
    """Each error of a chain by its class, with what may be said of it."""
    while error is not None:
        yield type(error).__name__, scrub.message_of(error)
        error = error.__cause__ or error.__context__
