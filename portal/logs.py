"""Log lines: JSON with the ids of what they are about, or text for people. All are scrubbed, whoever writes them.

structlog formats what the standard library's loggers write, so Django's, the queue's and gunicorn's lines come out
like our own.
"""

import copy
import logging
from collections.abc import Mapping
from typing import Any

from structlog.contextvars import merge_contextvars
from structlog.dev import ConsoleRenderer
from structlog.processors import JSONRenderer, TimeStamper
from structlog.stdlib import ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import EventDict, Processor, WrappedLogger

from portal import scrub

USUAL = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
NOT_TOLD = frozenset({"request", "server_time"})  # Django hands the whole request along


class Line(ProcessorFormatter):
    """An error among a message's arguments is told as `scrub.message_of` tells it."""

    def format(self, record: logging.LogRecord) -> str:
        args = record.args.values() if isinstance(record.args, Mapping) else record.args or ()
        return super().format(_telling(record) if any(isinstance(arg, BaseException) for arg in args) else record)


def formatter(format: str) -> logging.Formatter:
    """One JSON object a line ("json"), or a line for people ("text"). Tracebacks carry no local variables."""
    renderer: Processor = JSONRenderer() if format == "json" else ConsoleRenderer(colors=False, pad_event_to=0)
    return Line(
        foreign_pre_chain=[
            merge_contextvars,
            add_log_level,
            add_logger_name,
            _extras,
            TimeStamper(fmt="iso", utc=True),
        ],
        processors=[ProcessorFormatter.remove_processors_meta, _scrubbed, renderer],
        keep_exc_info=False,
        keep_stack_info=False,
    )


def _extras(logger: WrappedLogger, name: str, line: EventDict) -> EventDict:
    """What the call gave in `extra`."""
    given = vars(line["_record"])
    return {**line, **{key: given[key] for key in given.keys() - USUAL - NOT_TOLD if not key.startswith("_")}}


def _scrubbed(logger: WrappedLogger, name: str, line: EventDict) -> EventDict:
    """Nothing that must not leave; an exception as a text of ours."""
    raised = line.pop("exc_info", None)
    told: dict[str, Any] = {key: scrub.anything(value, key) for key, value in line.items()}
    if isinstance(raised, tuple) and raised[1] is not None:
        told["exception"] = scrub.traceback_of(raised[1])
    return told


def _telling(record: logging.LogRecord) -> logging.LogRecord:
    record = copy.copy(record)
    if isinstance(record.args, Mapping):
        record.args = {name: _told(value) for name, value in record.args.items()}
    else:
        record.args = tuple(_told(value) for value in record.args or ())
    return record


def _told(value: object) -> object:
    return scrub.message_of(value) if isinstance(value, BaseException) else value
