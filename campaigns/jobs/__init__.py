"""Jobs: all kinds of due work, and the engine that works on them.

`table` lists the jobs; `engine` claims rows and runs them; `tasks.py` makes each a Celery task.
"""

from campaigns.jobs.engine import (
    PAUSE,
    QUEUES,
    Job,
    Outcome,
    Sweep,
    add_missing_runs,
    count_due,
    oldest_due,
    retry_row,
    run_job,
    seconds_until_due,
)
from campaigns.jobs.table import EFFECTS, JOBS, find_job, run_due_jobs

__all__ = [
    "EFFECTS",
    "JOBS",
    "PAUSE",
    "QUEUES",
    "Job",
    "Outcome",
    "Sweep",
    "add_missing_runs",
    "count_due",
    "find_job",
    "oldest_due",
    "retry_row",
    "run_due_jobs",
    "run_job",
    "seconds_until_due",
]
