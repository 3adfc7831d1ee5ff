"""The rows of the campaign: a plan, its prices, the campaign with its goals and wording, a login."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User

from campaigns.models import Banner, Campaign, CampaignCopy, Goal, Plan, PlanCopy, Price

SLUG = "birthday"
ZONE = "Europe/Kyiv"
DAYS_BEFORE, DAYS_AFTER = 20, 10
STAFF_NAME, STAFF_PASSWORD = "editor", "third-birthday"

PRICES = (
    ("month", None, 600),
    ("year", None, 6000),
    ("gift", 12, 6000),
    ("gift", 6, 3300),
    ("gift", 3, 1800),
    ("gift", 1, 600),
)

PLAN = {
    "en": (
        "Member",
        (
            "Every article stays open to everybody, because you pay for it\n"
            "The Saturday letter: what we found out this week, and what we did not\n"
            "Four evenings a year at which the newsroom answers your questions"
        ),
    ),
    "uk": (
        "Учасник",
        (
            "Кожна стаття лишається відкритою для всіх, бо за неї платите ви\n"
            "Суботній лист: що ми з’ясували за тиждень, а чого не з’ясували\n"
            "Чотири вечори на рік, на яких редакція відповідає на ваші запитання"
        ),
    ),
}

COPIES = {
    "en": {
        "name": "Our third birthday",
        "headline": "Three years, paid for by readers",
        "summary": "We are looking for 1,000 new members by our birthday, so that we can plan the "
        "next year of reporting before it begins.",
        "story": "The Meridian Post is three years old this month. It has no owner with other "
        "business and no wall around its articles. What it has is 12,000 supporters, who carry it "
        "for everybody else.\n\n"
        "Millions of people read us. One in 10,000 of them pays. That has been enough to get this "
        "far; it is not enough to promise anybody a second year of an investigation, or a desk "
        "where none was.\n\n"
        "So once a year we ask. This time for 1,000 new members, for as little as €6 a month. If "
        "you pay already: a membership can be given, too.",
        "use_of_money": "About two thirds pays the people who report, edit and check.\n\n"
        "The rest pays lawyers, safe travel, and the machines that bring articles to you.",
    },
    "uk": {
        "name": "Наш третій день народження",
        "headline": "Три роки коштом читачів",
        "summary": "До дня народження ми шукаємо 1\xa0000 нових учасників, щоб спланувати "
        "наступний рік репортажів, поки він не почався.",
        "story": "Цього місяця The Meridian Post виповнюється три роки. У нас немає власника з "
        "іншим бізнесом і немає стіни навколо статей. Зате є 12\xa0000 прихильників, які тримають "
        "газету для всіх інших.\n\n"
        "Нас читають мільйони. Платить один читач із 10\xa0000. Цього вистачило, щоб дійти сюди, "
        "але не вистачить, щоб пообіцяти комусь другий рік розслідування чи відділ там, де "
        "його ще немає.\n\n"
        "Тому раз на рік ми просимо. Цього разу шукаємо 1\xa0000 нових учасників, від 6\xa0€ на "
        "місяць. Якщо ви вже платите, участь можна подарувати.",
        "use_of_money": "Приблизно дві третини йдуть тим, хто пише, редагує й перевіряє.\n\n"
        "Решта йде на юристів, безпечні поїздки й техніку, що доносить статті до вас.",
    },
}

BANNERS = {
    ("top", "running", "en"): (
        "1,000 new members by our third birthday",
        "Reporting here is paid for by its readers.",
    ),
    ("top", "running", "uk"): (
        "До нашого третього дня народження",
        "За репортажі тут платять читачі.",
    ),
    ("inline", "running", "en"): (
        "One reader in 10,000 pays for this article",
        (
            "Millions read us, and nobody has to pay. For our third birthday we are looking for "
            "{target} who do it all the same; {left} are still missing."
        ),
    ),
    ("inline", "running", "uk"): (
        "За цю статтю платить один читач із 10\xa0000",
        (
            "Нас читають мільйони, і платити не мусить ніхто. До третього дня народження ми "
            "шукаємо {target} читачів, які все ж платитимуть; бракує ще {left}."
        ),
    ),
    ("end", "running", "en"): (
        "Three years, thanks to {supporters} supporters",
        (
            "Help us find {target} more by our birthday: join them, or give a membership to "
            "somebody who should read us."
        ),
    ),
    ("end", "running", "uk"): (
        "Три роки завдяки {supporters} прихильникам",
        (
            "Допоможіть знайти ще {target} до дня народження: приєднайтеся або подаруйте участь "
            "тому, кому варто нас читати."
        ),
    ),
}


def make_campaign(*, now: datetime) -> Campaign:
    """The campaign, in a window that lies around `now`."""
    make_plan()
    zone = ZoneInfo(ZONE)
    today = now.astimezone(zone).date()
    campaign = Campaign.objects.create(
        slug=SLUG,
        zone=ZONE,
        starts_at=datetime.combine(today - timedelta(days=DAYS_BEFORE), time(), zone),
        ends_at=datetime.combine(today + timedelta(days=DAYS_AFTER), time(), zone),
        currency="eur",
        supporters_before=12_000,
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


def make_plan() -> None:
    plan = Plan.objects.create(slug="member")
    for language, (name, benefits) in PLAN.items():
        PlanCopy.objects.create(plan=plan, language=language, name=name, benefits=benefits)
    for kind, months, amount_minor in PRICES:
        Price.objects.create(
            plan=plan, kind=kind, months=months, amount_minor=amount_minor, currency="eur"
        )


def make_login() -> None:
    """Whoever tries the demo is its staff."""
    User.objects.create_superuser(STAFF_NAME, "editor@example.org", STAFF_PASSWORD)
