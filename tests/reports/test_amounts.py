"""Medians, means and histograms of amounts."""

from collections import Counter

import pytest

from campaigns.reports import FIGURES, define
from campaigns.reports.amounts import MOST_BARS, find_capped_mean, find_median, make_bars
from campaigns.reports.rates import Rate

pytestmark = pytest.mark.once


def test_the_median_is_the_middle_of_all_payments() -> None:
    assert find_median(Counter({600: 1})) == 600
    assert find_median(Counter({600: 2, 6000: 1})) == 600
    assert find_median(Counter({600: 1, 6001: 1})) == 3301  # 3300.5, rounded up


def test_one_large_payment_does_not_move_the_mean() -> None:
    many = Counter({600: 95, 1_000_000: 5})
    assert find_capped_mean(many) == 600
    assert find_capped_mean(Counter({600: 1, 601: 1})) == 601
    assert find_capped_mean(Counter({600: 94, 1000: 6})) == 624


def test_few_amounts_have_a_bar_each_and_many_share_round_ones() -> None:
    few = make_bars(Counter({600: 3, 6000: 2}))
    assert [(bar.from_minor, bar.payments) for bar in few] == [(600, 3), (6000, 2)]
    many = Counter({100 * number: 1 for number in range(1, 200)}) + Counter({5_000_000: 1})
    bars = make_bars(many)
    assert len(bars) <= MOST_BARS
    assert sum(bar.payments for bar in bars) == many.total()
    assert [(bar.from_minor, bar.to_minor) for bar in bars[:2]] == [(0, 2000), (2000, 4000)]
    assert bars[-1].to_minor is None


def test_a_rate_over_nothing_is_none_with_its_reason() -> None:
    assert Rate(1, 3).percent == 33.3
    assert Rate(0, 3).percent == 0.0
    nothing = Rate(0, 0, "No gifts yet.")
    assert (nothing.percent, nothing.reason) == (None, "No gifts yet.")


def test_the_docstring_of_each_figure_is_its_definition() -> None:
    for name, module in FIGURES.items():
        assert module.__doc__ == module.DEFINITION == define(name)
        assert module.DEFINITION.endswith(".")
