"""Logs: one line for each event, in JSON in production, without e-mail addresses and whole ids."""

import logging
import re
from typing import Any

import structlog

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

# Also matches addresses in a query string, where @ is written as %40.
_ADDRESS = re.compile(
    r"""(?:[\w.!#$&'*+/=?^`{|}~%-]+?|\\?"[^"\n]+\\?")"""
    r"(?:@|%40)(?:[\w-]+(?:\.[\w-]+)+|\[[^\]\s]+\])",
    re.IGNORECASE,
)


# Ids of people and sales at Stripe. Prices and products are neither; whole secrets are hidden.
_STRIPE_ID = re.compile(
    r"\b((?:cs_(?:test|live)|cus|sub|sub_sched|si|pi|py|pyr|ch|re|dp|du|in|inpay|il|ii|evt|txn|pm|cn"
    r"|card|src|seti|bps)_(?=[A-Za-z0-9]*[A-Z0-9])[A-Za-z0-9]{8})[A-Za-z0-9]+"
)
_STRIPE_SECRET = re.compile(r"\b((?:sk|rk)_(?:test|live)|whsec)_[A-Za-z0-9]+")


def shorten_ids(text: str) -> str:
    """Return the text with 8 characters of each id at Stripe, and without secrets."""
    return _STRIPE_SECRET.sub(r"\1_[secret]", _STRIPE_ID.sub(r"\1", text))


def hide_addresses(text: str) -> str:
    """Return the text with each e-mail address replaced by [address]."""
    return _ADDRESS.sub("[address]", text)


class PrivateFormatter(structlog.stdlib.ProcessorFormatter):
    """Removes addresses and ids as the last step, so that lines of libraries are covered, too."""

    def format(self, record: logging.LogRecord) -> str:
        return shorten_ids(hide_addresses(super().format(record)))


def _drop_request_started(
    logger: Any, method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Drop the library's line at the start of a request; each request has one line, at its end."""
    if event.get("event") == "request_started":
        raise structlog.DropEvent
    return event


def configure_logging(*, level: str, readable: bool) -> dict[str, Any]:
    """Configure structlog and return the value of Django's LOGGING setting."""
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
            _drop_request_started,
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
            # Without ASCII escapes, which would hide an address from the formatter.
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": PrivateFormatter,
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
            # newsroom.middleware logs each request. These lines would repeat it with its path,
            # which can contain a claim code.
            "django.request": {"level": "CRITICAL"},
            # At DEBUG it would log what we send, with names.
            "stripe": {"level": "INFO" if level == "DEBUG" else level},
            "django.server": {"handlers": [], "level": level, "propagate": True},
        },
    }
