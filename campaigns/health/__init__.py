"""Health: broken parts, e-mails to staff about them, and answers for monitoring.

signs       when each process and each webhook was last seen
processes   is the queue reachable, and do the worker and beat run?
services    mail, Stripe, webhooks, publishing and late work
problems    begin and end a problem, with one e-mail each to staff
watch       run these checks: a job watches everything, beat and the web server the processes
jobs        what each job has to do: how much is due, and since when
setup       is everything set up? for the admin, `manage.py check --deploy` and /health/
facts       when each part last worked
answer      the answer of /health/
metrics     the same for Prometheus

A worker that has stopped can't report itself, so beat and the web server check the processes and
send that e-mail themselves.
"""

from campaigns.health.answer import describe_health
from campaigns.health.metrics import write_metrics
from campaigns.health.problems import list_open_problems
from campaigns.health.setup import Finding, State, check_setup
from campaigns.health.signs import record_sign
from campaigns.health.watch import watch_everything, watch_processes, watch_processes_soon

__all__ = [
    "Finding",
    "State",
    "check_setup",
    "describe_health",
    "list_open_problems",
    "record_sign",
    "watch_everything",
    "watch_processes",
    "watch_processes_soon",
    "write_metrics",
]
