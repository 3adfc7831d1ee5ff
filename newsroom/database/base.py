"""Connections to PostgreSQL that a thread, when it is done, leaves to the next thread.

Django's own lasting connections belong to threads, and stay open after a web server's threads end.
Those of psycopg_pool gave errors for ten seconds after the database restarted, because it pauses
after each closed connection that it finds. These serve any thread of their process, and a closed
one is replaced at once. A new one is opened only if none is free: a process never has more than
threads that used the database at the same time.
"""

import os
import select
import time
from collections import deque
from contextlib import suppress
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.backends.postgresql import base
from psycopg import Connection
from psycopg.pq import TransactionStatus

# Seconds. Then a connection is replaced: after a failover its server may be a read-only replica.
LIFETIME = 300.0

# Connections that no thread uses and when each was opened, the last used one at the end.
_free: deque[tuple[Connection[Any], float]] = deque()
os.register_at_fork(after_in_child=_free.clear)  # psycopg doesn't close those of another process


class DatabaseWrapper(base.DatabaseWrapper):
    """A thread's access to the database, with the connection that it has now."""

    opened_at = 0.0

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection[Any]:
        """Take a free connection, or open one. Raises psycopg.OperationalError."""
        with suppress(IndexError):  # none is free
            while self.alias == DEFAULT_DB_ALIAS:
                connection, self.opened_at = _free.pop()
                if _is_usable(connection, self.opened_at):
                    return connection
                connection.close()
        self.opened_at = time.monotonic()
        opened: Connection[Any] = super().get_new_connection(conn_params)
        return opened

    def _close(self) -> None:
        connection = self.connection
        if (
            connection is None
            or self.alias != DEFAULT_DB_ALIAS
            or self.in_atomic_block
            or not connection.autocommit
            or connection.info.transaction_status != TransactionStatus.IDLE
        ):
            super()._close()  # type: ignore[misc] # the stubs lack it
            return
        _free.append((connection, self.opened_at))


def _is_usable(connection: Connection[Any], opened_at: float) -> bool:
    """Return whether a free connection may be used: the server has neither closed it nor spoken."""
    if connection.closed or time.monotonic() - opened_at > LIFETIME:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN | select.POLLPRI)
    return not poll.poll(0)
