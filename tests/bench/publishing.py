"""Publishing a campaign's files beside many payments, compared with few.

    python -m tests.bench.publishing [--sizes 1000,1000000]

Needs PostgreSQL. The fastest of 15 times is reported. The goal for a campaign of 1,000 payments: at
most 1.05 times as long beside a million other payments as beside a thousand. Readers' pages take
the files, so they cost the same with any number of payments.
"""

from tests.bench.sizes import compare_sizes

if __name__ == "__main__":
    compare_sizes(
        "tests.bench.publishing_measurement", "publishing a campaign", str(__doc__), decimals=2
    )
