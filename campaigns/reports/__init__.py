"""9 Reports: the figures of a campaign, shown as text, chart or file.

One module a figure. Its docstring is its definition, which is also shown beside the number.
"""

from campaigns.reports.periods import Compare, Period, choose_period
from campaigns.reports.report import FIGURES, Report, define, gather_report

__all__ = [
    "FIGURES",
    "Compare",
    "Period",
    "Report",
    "choose_period",
    "define",
    "gather_report",
]
