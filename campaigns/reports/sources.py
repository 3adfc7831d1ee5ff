from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from babel import Locale, UnknownLocaleError
from django.conf import settings
from django.db.models import Count, Max, QuerySet
from django.utils.translation import get_language, gettext_noop, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from campaigns.models import Banner, Campaign, Checkout, Membership, Payment, Plan, Price, Tally
from campaigns.origins import clean_placement, find_host
from campaigns.reports.periods import Period

__doc__ = DEFINITION = gettext_noop(
    "Every person and gift that started to count in the period and still counts appears once in "
    "each table. The banner, the article and the UTM parameters come from the link that led to the "
    "form, the referring site, device and country from the reader’s browser, plan and language "
    "from the order, and the payment method from the charge. Direct means without a banner."
)

TOP = 10
NONE = "none"  # the name of the group of those that have no value
OF_CHECKOUT = "payment__checkout__"
# Payment methods that debit a bank account after days, and those of wallets.
# https://docs.stripe.com/payments/payment-methods/overview
DEBITS = ("_debit", "us_bank_account")
WALLETS = {
    *("alipay", "amazon_pay", "cashapp", "grabpay", "kakao_pay", "link", "mobilepay", "naver_pay"),
    *("paypal", "revolut_pay", "samsung_pay", "satispay", "twint", "wechat_pay"),
}
PLACEMENT_LABELS: dict[str, StrOrPromise] = {
    **dict(Banner.Placement.choices),
    "page": _("campaign page"),
    "newsletter": _("newsletter"),
    "friend": _("link that a member shared"),  # emails.links.SHARED
    "signup": _("newsletters in the article"),
    "signupcard": _("newsletters at the article’s end"),
    "thanks": _("newsletters on the thank-you page"),
    "confirmed": _("page after a newsletter was confirmed"),
}
_NO_VALUE = pgettext_lazy("origin", "none")
METHOD_LABELS: dict[str, StrOrPromise] = {
    "card": _("card"),
    "wallet": _("wallet"),
    "debit": _("bank debit"),
    "offline": _("offline payment"),
    "other": _("another method"),
}
_SOURCES: dict[str, StrOrPromise] = {
    Membership.Source.SUBSCRIPTION: _("subscription"),
    Membership.Source.ONCE: _("one-time payment"),
    "offline": _("offline payment"),
    "gift": _("gift membership"),
}


@dataclass(frozen=True)
class Group:
    """One row of a breakdown; `label` is in the report's language."""

    name: str
    label: str
    counted: int
    url: str = ""  # of an article

    @property
    def host(self) -> str:
        """The site of an article, which staff should see before they follow a link to it."""
        return find_host(self.url)


@dataclass(frozen=True)
class Breakdown:
    """The counted people and gifts by one property, the largest group first."""

    name: str
    label: str
    groups: tuple[Group, ...]

    @property
    def counted(self) -> int:
        return sum(group.counted for group in self.groups)

    @property
    def is_known(self) -> bool:
        """True if any of them has a value."""
        return any(group.name != NONE for group in self.groups)

    @property
    def top(self) -> tuple[Group, ...]:
        return self.groups[:TOP]

    @property
    def others(self) -> int:
        """The count of the groups that `top` leaves out."""
        return self.counted - sum(group.counted for group in self.top)


@dataclass(frozen=True)
class Sources:
    """The breakdowns by everything that is known about where members and gifts came from."""

    source: Breakdown
    plan: Breakdown
    placement: Breakdown
    article: Breakdown
    referrer: Breakdown
    utm_source: Breakdown
    utm_medium: Breakdown
    utm_campaign: Breakdown
    utm_content: Breakdown
    method: Breakdown
    language: Breakdown
    device: Breakdown
    country: Breakdown

    @property
    def all(self) -> tuple[Breakdown, ...]:
        return tuple(vars(self).values())


def break_down_sources(campaign: Campaign, period: Period, *, at: datetime) -> Sources:
    """Return where the members and gifts came from that count at a moment, as known now."""
    tallies = campaign.tallies.counting_at(at).filter(period.contains("counted_from")).order_by()
    language = get_language() or settings.LANGUAGE_CODE
    plans = {
        plan.pk: (plan.slug, plan.copy_for(language).name)
        for plan in Plan.objects.prefetch_related("copies")
    }
    counts = _count_properties(tallies, plans)
    plan_labels = dict(plans.values())
    return Sources(
        source=_rank("source", _("Kind of sale"), counts["source"], _SOURCES, _("unknown")),
        plan=_rank("plan", _("Plan"), counts["plan"], plan_labels, _("no plan")),
        placement=_rank(
            "placement",
            _("Banner"),
            counts["placement"],
            PLACEMENT_LABELS,
            _("direct, without a banner"),
        ),
        article=_rank_articles(tallies),
        referrer=_rank("referrer", _("Referring site"), counts["referrer"], {}, _NO_VALUE),
        utm_source=_rank("utm_source", _("UTM source"), counts["utm_source"], {}, _NO_VALUE),
        utm_medium=_rank("utm_medium", _("UTM medium"), counts["utm_medium"], {}, _NO_VALUE),
        utm_campaign=_rank(
            "utm_campaign",
            _("UTM campaign"),
            counts["utm_campaign"],
            {},
            _NO_VALUE,
        ),
        utm_content=_rank(
            "utm_content",
            _("UTM content"),
            counts["utm_content"],
            {},
            _NO_VALUE,
        ),
        method=_rank("method", _("Payment method"), counts["method"], METHOD_LABELS, _("unknown")),
        language=_rank(
            "language", _("Language"), counts["language"], dict(settings.LANGUAGES), _("unknown")
        ),
        device=_rank(
            "device", _("Device"), counts["device"], dict(Checkout.Device.choices), _("unknown")
        ),
        country=_rank(
            "country", _("Country"), counts["country"], name_countries(language), _("unknown")
        ),
    )


def _count_properties(
    tallies: QuerySet[Tally], plans: Mapping[int, tuple[str, str]]
) -> dict[str, Counter[str]]:
    """Count by every property but the article, from one query for all of them.

    A second one finds the plan and the source of payments without a Checkout.
    """
    links = ("referrer", "utm_source", "utm_medium", "utm_campaign", "utm_content")
    own = ("placement", "language", "device", "country", *links)
    names = ("source", "plan", "method", *own)
    counts = {name: Counter[str]() for name in names}

    def add(number: int, **values: str) -> None:
        for name in names:
            counts[name][values.get(name, "")] += number

    prices = {
        price_id: (kind, plans[plan_id][0])
        for price_id, kind, plan_id in Price.objects.values_list("pk", "kind", "plan")
    }
    paid = ("payment__method", "payment__wallet")
    columns = (*paid, *(f"{OF_CHECKOUT}{name}" for name in ("price", *own)))
    sold = tallies.filter(payment__checkout__isnull=False).values_list(*columns)
    for method, wallet, price_id, *values, number in sold.annotate(Count("pk")):
        kind, plan = prices[price_id]
        found = dict(zip(own, values, strict=True))
        add(
            number,
            source="offline" if method == Payment.OFFLINE else _SOURCE_OF_KIND[kind],
            plan=plan,
            method=name_method(method, wallet),
            **found | {"placement": clean_placement(found["placement"])},
        )
    others = tallies.filter(payment__checkout__isnull=True)
    for plan_id, source, method, wallet, number in others.values_list(
        "payment__membership__plan", "payment__membership__source", *paid
    ).annotate(Count("pk")):
        add(
            number,
            source="offline" if method == Payment.OFFLINE else source or "",
            plan=plans[plan_id][0] if plan_id else "",
            method=name_method(method, wallet),
        )
    return counts


_SOURCE_OF_KIND: dict[str, str] = {
    Price.Kind.MONTH: Membership.Source.SUBSCRIPTION,
    Price.Kind.YEAR: Membership.Source.SUBSCRIPTION,
    Price.Kind.ONCE: Membership.Source.ONCE,
    Price.Kind.GIFT: "gift",
}


def name_method(method: str, wallet: str) -> str:
    """Return the kind of a payment method: card, wallet, debit, offline, other; "" if unknown."""
    if wallet or method in WALLETS:
        return "wallet"
    if method.endswith(DEBITS):
        return "debit"
    return method if method in {"", "card", Payment.OFFLINE} else "other"


def _rank_articles(tallies: QuerySet[Tally]) -> Breakdown:
    """Return the breakdown by article; an article has the title that one of its links gave it."""
    url, title = f"{OF_CHECKOUT}page_url", f"{OF_CHECKOUT}page_title"
    counts: Counter[str] = Counter()
    titles: dict[str, str] = {}
    for page, number, name in tallies.values_list(url).annotate(Count("pk"), Max(title)):
        counts[page or ""] += number
        titles[page or ""] = name or page
    return _rank("article", _("Article"), counts, titles, _("no article"), are_links=True)


def _rank(
    name: str,
    label: StrOrPromise,
    counts: Mapping[str, int],
    labels: Mapping[str, StrOrPromise],
    nameless: StrOrPromise,
    *,
    are_links: bool = False,
) -> Breakdown:
    ranked: Iterable[tuple[str, int]] = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    groups = [
        Group(
            name=value or NONE,
            label=str(labels.get(value, value) if value else nameless),
            counted=number,
            url=value if are_links else "",
        )
        for value, number in ranked
    ]
    return Breakdown(name, str(label), tuple(groups))


def name_countries(language: str) -> Mapping[str, Any]:
    """Return the names of countries by their codes, in a language or else in English."""
    try:
        return Locale.parse(language, sep="-").territories
    except (ValueError, UnknownLocaleError):
        return Locale("en").territories
