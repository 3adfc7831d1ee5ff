"""The demo campaign's rows: a plan, its prices, the campaign with goals and texts, a login."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User

from campaigns.models import (
    Banner,
    Campaign,
    CampaignCopy,
    Goal,
    Newsletter,
    Plan,
    PlanCopy,
    Price,
)

SLUG = "birthday"
ZONE = "Europe/Kyiv"
DAYS_BEFORE, DAYS_AFTER = 20, 10
STAFF_NAME, STAFF_PASSWORD = "editor", "third-birthday"

# The amounts to choose from at an open price, and the smallest one.
SUGGESTED, SMALLEST = (400, 1000, 2000), 300

PRICES = (
    ("month", None, 600),
    ("year", None, 6000),
    ("gift", 12, 6000),
    ("gift", 6, 3300),
    ("gift", 3, 1800),
    ("gift", 1, 600),
)
ONE_OFF, ONE_OFF_SUGGESTED, ONE_OFF_SMALLEST = 2000, (500, 1000, 5000), 200
ONE_OFF_NAMES = {"en": "Contribution", "uk": "Разовий внесок"}

PLAN = {
    "en": (
        "Member",
        (
            "Articles that stay free for everyone, because you pay for them\n"
            "The Saturday newsletter: what we found out this week, and what we didn’t\n"
            "Four evenings a year with the newsroom, for your questions"
        ),
    ),
    "uk": (
        "Учасник",
        (
            "Кожна стаття лишається відкритою для всіх, бо за неї платите ви\n"
            "Суботній лист: що ми з’ясували за тиждень, а чого не з’ясували\n"
            "Чотири вечори на рік, коли редакція відповідає на ваші запитання"
        ),
    ),
}

COPIES = {
    "en": {
        "name": "Our third birthday",
        "headline": "Three years, funded by readers",
        "summary": "Help us find 1,000 new members by our birthday, so that we can plan next "
        "year’s reporting now.",
        "story": "The Meridian Post turns three this month. We have no owner with other business, "
        "and no paywall. 12,000 supporters pay for our reporting, so that everyone can read it.\n\n"
        "Millions of people read us, and one in 10,000 of them pays. That was enough to get this "
        "far. It isn’t enough to promise a second year of an investigation, or to open a new "
        "desk.\n\n"
        "So once a year we ask. This year we’re looking for 1,000 new members, from €3 a month. If "
        "you’re already a member, you can give a membership to someone else.",
        "use_of_money": "About two thirds pays the people who report, edit and check facts.\n\n"
        "The rest pays for lawyers, safe travel and the technology behind this site.",
    },
    "uk": {
        "name": "Наш третій день народження",
        "headline": "Три роки коштом читачів",
        "summary": "До дня народження ми шукаємо 1\xa0000 нових учасників, щоб спланувати "
        "наступний рік репортажів, перш ніж він почнеться.",
        "story": "Цього місяця The Meridian Post виповнюється три роки. У нас немає власника з "
        "іншим бізнесом, і читати нас можна безкоштовно. За нашу роботу платять 12\xa0000 "
        "прихильників, щоб читати могли всі.\n\n"
        "Нас читають мільйони. Платить один читач із 10\xa0000. Цього вистачило, щоб дійти сюди, "
        "але не вистачить, щоб пообіцяти другий рік розслідування чи відкрити новий відділ.\n\n"
        "Тому раз на рік ми просимо. Цього разу шукаємо 1\xa0000 нових учасників, від 3\xa0€ на "
        "місяць. Якщо ви вже в спільноті, подаруйте членство комусь іншому.",
        "use_of_money": "Приблизно дві третини йдуть тим, хто пише, редагує й перевіряє.\n\n"
        "Решта йде на юристів, безпечні поїздки й техніку, що доносить статті до вас.",
    },
}

NEWSLETTERS: dict[str, dict[str, str]] = {
    "morning": {
        "name": "The Morning Post",
        "description": "What happened overnight and what matters today, in five minutes.",
        "frequency": Newsletter.Frequency.WEEKDAYS,
        "emblem": '<svg viewBox="0 0 48 48"><path d="M6 36h36M13 30a11 11 0 0 1 22 0M24 8v6'
        'M8 16l4 4M40 16l-4 4" fill="none" stroke="currentColor" stroke-width="3"/></svg>',
    },
    "courts": {
        "name": "Courts and Contracts",
        "description": "Rulings, tenders and who gets the city’s money.",
        "frequency": Newsletter.Frequency.WEEKLY,
        "emblem": '<svg viewBox="0 0 48 48"><path d="M24 8v32M14 40h20M10 14h28M10 14l-6 14h12z'
        'M38 14l-6 14h12z" fill="none" stroke="currentColor" stroke-width="3"/></svg>',
    },
    "ukrainian": {
        "name": "Лист із Ліндгафена",
        "description": "Головне за тиждень українською.",
        "frequency": Newsletter.Frequency.WEEKLY,
        "language": "uk",
        "emblem": '<svg viewBox="0 0 48 48"><path d="M6 12h36v26H6zM6 13l18 14 18-14" fill="none" '
        'stroke="currentColor" stroke-width="3"/></svg>',
    },
}

BANNERS = {
    ("top", "running", "en"): (
        "1,000 new members by our third birthday",
        "Our reporting is funded by readers.",
    ),
    ("top", "running", "uk"): (
        "До нашого дня народження",
        "Нашу роботу оплачують читачі.",
    ),
    ("inline", "running", "en"): (
        "One reader in 10,000 pays for this article",
        (
            "Millions of people read us for free. For our third birthday, we’re looking for "
            "{goal} new members who help pay for it. {remaining} to go."
        ),
    ),
    ("inline", "running", "uk"): (
        "За цю статтю платить один читач із 10\xa0000",
        (
            "Нас безкоштовно читають мільйони. До третього дня народження ми шукаємо {goal} "
            "нових учасників, які допоможуть за це платити. Залишилося {remaining}."
        ),
    ),
    ("end", "running", "en"): (
        "Three years, thanks to {supporters} supporters",
        (
            "Help us find {goal} more by our birthday: become a member, or give a membership "
            "to someone who should read us."
        ),
    ),
    ("end", "running", "uk"): (
        "Три роки завдяки {supporters} прихильникам",
        (
            "Допоможіть знайти ще {goal} до дня народження: приєднайтеся або подаруйте членство "
            "тому, кому варто нас читати."
        ),
    ),
}


def make_campaign(*, now: datetime) -> Campaign:
    """Create the campaign, which started 20 days before `now` and runs for 10 more."""
    make_plan()
    make_newsletters()
    zone = ZoneInfo(ZONE)
    today = now.astimezone(zone).date()
    campaign = Campaign.objects.create(
        slug=SLUG,
        zone=ZONE,
        starts_at=datetime.combine(today - timedelta(days=DAYS_BEFORE), time(), zone),
        ends_at=datetime.combine(today + timedelta(days=DAYS_AFTER), time(), zone),
        currency="eur",
        supporters_before=12_000,
        takes_contributions=True,
        shows_wall=True,
    )
    Goal.objects.create(campaign=campaign, kind=Goal.Kind.NEW_MEMBERS, target=1000, is_primary=True)
    Goal.objects.create(campaign=campaign, kind=Goal.Kind.GIFTS, target=250)
    Goal.objects.create(campaign=campaign, kind=Goal.Kind.MONEY, target=4_000_000)
    for language, texts in COPIES.items():
        CampaignCopy.objects.create(campaign=campaign, language=language, **texts)
    for (placement, state, language), (headline, text) in BANNERS.items():
        Banner.objects.create(
            campaign=campaign,
            placement=placement,
            state=state,
            language=language,
            headline=headline,
            text=text,
        )
    return campaign


def make_newsletters() -> None:
    """Create the newspaper's three newsletters."""
    for position, (slug, values) in enumerate(NEWSLETTERS.items()):
        Newsletter.objects.create(slug=slug, position=position, **values)


def make_plan() -> None:
    """Create the plan and its prices."""
    plan = Plan.objects.create(slug="member")
    for language, (name, benefits) in PLAN.items():
        PlanCopy.objects.create(plan=plan, language=language, name=name, benefits=benefits)
    for kind, months, amount_minor in PRICES:
        price = Price(
            plan=plan, kind=kind, months=months, amount_minor=amount_minor, currency="eur"
        )
        if kind == Price.Kind.MONTH:
            price.is_open = price.shows_average = True
            price.suggested_minor, price.minimum_minor = list(SUGGESTED), SMALLEST
        price.save()

    contribution = Plan.objects.create(slug="contribution", position=1)
    for language, name in ONE_OFF_NAMES.items():
        PlanCopy.objects.create(plan=contribution, language=language, name=name)
    Price.objects.create(
        plan=contribution,
        kind=Price.Kind.CONTRIBUTION,
        amount_minor=ONE_OFF,
        is_open=True,
        suggested_minor=list(ONE_OFF_SUGGESTED),
        minimum_minor=ONE_OFF_SMALLEST,
    )


def make_login() -> None:
    """Create the staff login that `bin/demo` prints."""
    User.objects.create_superuser(STAFF_NAME, "editor@example.org", STAFF_PASSWORD)
