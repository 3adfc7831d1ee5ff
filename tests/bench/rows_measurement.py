"""Child process of the rows benchmark: fills a database and prints how many rows there are."""

import json
import sys

import django

django.setup()

from django.utils import timezone  # noqa: E402 - needs the set-up

from campaigns.reports import choose_period  # noqa: E402
from campaigns.reports.rows import ROW_KINDS, Span  # noqa: E402
from tests.bench.report_measurement import make_filled_campaign  # noqa: E402

if __name__ == "__main__":
    now = timezone.now()
    campaign = make_filled_campaign(int(sys.argv[1]), now=now)
    span = Span(campaign, choose_period(campaign, at=now), now)
    rows = {name: kind.count_rows(span) for name, kind in ROW_KINDS.items()}
    print(json.dumps({"slug": campaign.slug, "rows": rows}))
