"""9 Reports: the figures of a campaign, shown as text, chart or file."""

from campaigns.reports.figures import Figures, gather_figures

__all__ = ["Figures", "gather_figures"]
