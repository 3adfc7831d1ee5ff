"""Logs: one line an event, as JSON in production, and no address of a person in any of them."""

import logging
import re
from typing import Any

import structlog

# Also as it stands in a query string, where the @ is written %40.
_ADDRESS = re.compile(
    r"""(?:[\w.!#$&'*+/=?^`{|}~%-]+?|\\?"[^"\n]+\\?")"""
    r"(?:@|%40)(?:[\w-]+(?:\.[\w-]+)+|\[[^\]\s]+\])",
    re.IGNORECASE,
)


def hide_addresses(text: str) -> str:
    """The text without e-mail addresses, whoever put them there."""
    return _ADDRESS.sub("[address]", text)


class AddressFreeFormatter(structlog.stdlib.ProcessorFormatter):
    """The last step of every line, so that tracebacks and other libraries' lines pass it too."""

    def format(self, record: logging.LogRecord) -> str:
        return hide_addresses(super().format(record))


def _leave_out_the_start(
    logger: Any, method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """A request has one line, at its end; the library writes another at its beginning."""
    if event.get("event") == "request_started":
        raise structlog.DropEvent
    return event


def configure_logging(*, level: str, readable: bool) -> dict[str, Any]:
    """Configure structlog and give Django's LOGGING setting."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.UnicodeDecoder(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            _leave_out_the_start,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    ending: list[structlog.typing.Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta
    ]
    if readable:
        plain = structlog.dev.plain_traceback
        ending += [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=plain)]
    else:
        ending += [
            structlog.processors.format_exc_info,
            # Letters as they are: an address in escapes would not be recognised as one.
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": AddressFreeFormatter,
                "processors": ending,
                "foreign_pre_chain": [
                    *shared[:-1],
                    structlog.stdlib.PositionalArgumentsFormatter(),
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": level, "propagate": True},
            # Each request has its line from newsroom.middleware; these would repeat it, with
            # whatever secret stands in its path.
            "django.request": {"level": "CRITICAL"},
            "django.server": {"handlers": [], "level": level, "propagate": True},
            # Its lines name who tried to sign in.
            "axes": {"level": "CRITICAL"},
        },
    }
