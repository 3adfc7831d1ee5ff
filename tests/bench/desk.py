"""The staff's pages over many payments, beside the same pages over few.

    python -m tests.bench.desk [--sizes 1000,1000000] [--cpu]

Needs PostgreSQL. Each page is opened as an administrator, with its templates, and the fastest of 15
times is reported. `--cpu` reports the processor's time instead, of this process and of its one
database process, which other work on the machine hardly changes; the database then uses no parallel
workers. The goal: at most 1.5 times as long with a million payments as with a thousand.
"""

from tests.bench.sizes import compare_sizes

if __name__ == "__main__":
    compare_sizes("tests.bench.desk_measurement", "page", str(__doc__), has_cpu=True)
