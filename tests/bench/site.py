"""A whole site for the benchmarks: PostgreSQL, a Redis-compatible server, two workers, beat."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.bench.environment import name_postgres, scratch_folder, scratch_postgres
from tests.support.processes import Site, run_site
from tests.support.site_sales import ROWS


@contextmanager
def run_bench_site(*, workers: bool = True) -> Iterator[tuple[Site, str]]:
    """Yield a running site and the name of its database.

    One worker asks Stripe and another one sends e-mails and publishes, as `docs/operations.md`
    shows it. Without `workers`, the caller starts them and beat.
    """
    with ExitStack() as stack:
        os.environ.setdefault("TEST_DIR", str(stack.enter_context(scratch_folder())))
        # As the tests do for the processes that they start.
        os.environ |= {"TEST_BROKER": "redis", "DEMO": "true", "ENV_FILE": os.devnull}
        database_url = stack.enter_context(scratch_postgres())
        os.environ["DATABASE_URL"] = database_url
        folder = stack.enter_context(scratch_folder())
        site = stack.enter_context(
            run_site(folder / "site", rows=ROWS, worker=False, LOG_LEVEL="INFO")
        )
        if workers:
            site.processes.start_worker("stripe", queues="stripe,slow", threads=16)
            site.processes.start_worker("effects", queues="mail,publish", threads=2)
            site.start_beat()
        yield site, name_postgres(database_url)


def slow_down_stripe(site: Site, seconds: float) -> None:
    """Let every answer of the pretend Stripe take so long."""
    site.sandbox.add_fault("api", match="*", kind="delay", seconds=seconds, times=-1)
