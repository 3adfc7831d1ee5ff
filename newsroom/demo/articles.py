"""Three invented articles for an invented newspaper, dated relative to today."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone

WORDS_A_MINUTE = 200
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# Subtracted from the current time, so that no article is dated in the future in any time zone.
NIGHT = timedelta(hours=12)


@dataclass(frozen=True)
class Article:
    """An article. Blank lines separate paragraphs; `{weekday}` is the day before publication."""

    slug: str
    section: str
    headline: str
    summary: str
    byline: str
    days_ago: int
    time: str
    caption: str
    plate: str
    story: str

    @property
    def published_on(self) -> date:
        return timezone.localdate(timezone.now() - NIGHT) - timedelta(days=self.days_ago)

    @property
    def minutes(self) -> int:
        """Return the reading time in whole minutes."""
        return max(1, round(len(self.story.split()) / WORDS_A_MINUTE))

    @property
    def paragraphs(self) -> list[str]:
        day_before = WEEKDAYS[(self.published_on - timedelta(days=1)).weekday()]
        story = self.story.strip().replace("{weekday}", day_before)
        return [" ".join(paragraph.split()) for paragraph in story.split("\n\n")]

    @property
    def opening(self) -> list[str]:
        """Return the paragraphs above the banner inside the article."""
        return self.paragraphs[:3]

    @property
    def rest(self) -> list[str]:
        """Return the paragraphs below the banner inside the article."""
        return self.paragraphs[3:]


LEAD = "repair-contracts"

_REPAIR_CONTRACTS = """
The city of Lindhaven must show its contracts for the repair of eleven bridges to anyone who asks
for them, the regional administrative court ruled on {weekday}. The city had refused for two
years. It said the prices in the contracts were business secrets of the builders.

“Anyone who is paid with public money must expect the public to ask what it was spent on,”
presiding judge Helene Aru said when she announced the ruling. Builders may keep their methods
secret, she said, but not the total price.

The case was brought by this newspaper and by a residents’ group from the Lower Quay, where the
Weir Bridge has been closed to cars since March last year. The city had announced a repair for
4.1 million. By this summer it had paid 9.7 million, and the bridge was still closed.

Why the cost more than doubled is not known, because the city published totals only. In court, its
lawyer Tomas Reinholt argued that builders would agree on prices in advance if single prices were
published. The judges asked for an example from any city that publishes them. He did not name one.

Nine of the eleven contracts went to the same three companies in turn, according to invoices that
the court read in private and quoted in its ruling. Six times, the second-lowest bidder withdrew
within a week after the bids were opened. The ruling draws no conclusion from this. The
prosecutor’s office said on {weekday} evening that it was reading the ruling.

Mayor Katrin Sõber said that the city would not appeal. She called the ruling “a reason to do what
we should have done earlier”. The contracts will be on the city’s website by the end of January,
without the names of private persons.

On the Lower Quay, the ruling was read aloud in Jonas Feld’s bakery, which has lost a third of its
customers since the bridge closed. “I don’t need anyone punished,” Feld said. “I need to know when
the bus is coming back.”

It could be in May if the winter is mild, the city’s engineers say. The Meridian Post will publish
every contract as soon as it has them, with the prices side by side.
"""

_SCHOOL_LUNCHES = """
Lunch in Lindhaven’s primary schools will stay free until the end of June. The council voted
31 to 14 on {weekday} night to move 2.6 million from the road fund, after a debate of five hours.

It is the third time in two years that the council has paid for a few more months. Head teachers
say that they can plan the menu but not the staff: two of the four cooks at Mill Street have
contracts that end with the school year.

Before lunches were free, about one child in five ate nothing at noon, a survey by the school
doctors found. Last winter it was one in thirty.

From summer on, a tax on empty flats is supposed to pay for the lunches. The council will debate it
for the first time in February. There is no majority for it today.

“I voted for soup and against a tax in the same week,” said councillor Piet Lagerlund. “Ask me
again when I know how many empty flats there are.”

Nobody has counted them yet.
"""

_NIGHT_TRAIN = """
At seven minutes past one, the last lamp on the old control panel goes out, and nine people in
orange look at a telephone. When it rings, the line between Lindhaven and the coast is theirs for
two hours and fifty minutes.

The panel in signal box 14 was built in 1961. It has 212 relays, and 40 of them are older than the
man who looks after them. Spare parts come from a museum two valleys away.

The crew has been replacing the panel for three weeks. They work in the only hours without traffic,
except for the night train. It has to wait outside the station and is 25 minutes late on average.
The railway prints the reason on every ticket.

Since then, complaints have fallen by half, according to the railway. “People don’t mind waiting,”
says Dana Ruiz, who leads the crew. “They mind not knowing why.”

At three minutes to four, she makes the call that returns the line. The new panel is a grey cabinet
with one green lamp. It is on.
"""

ARTICLES = {
    article.slug: article
    for article in (
        Article(
            slug=LEAD,
            section="Courts",
            headline="Court orders Lindhaven to publish its bridge contracts",
            summary="For two years, the city kept secret who repairs its bridges and for how "
            "much. Now the contracts must be public.",
            byline="Marta Oliwa and Ilyas Berg",
            days_ago=0,
            time="7:40",
            caption="The Weir Bridge, closed since March last year. Drawing: The Meridian Post",
            plate="bridge",
            story=_REPAIR_CONTRACTS,
        ),
        Article(
            slug="school-lunches",
            section="Budget",
            headline="School lunches stay free until summer",
            summary="The council has found the money for two more terms. After that, the lunches "
            "depend on a tax that has not been passed.",
            byline="Noor Haddad",
            days_ago=1,
            time="18:15",
            caption="Trays for 480 children at the Mill Street school. Drawing: The Meridian Post",
            plate="tables",
            story=_SCHOOL_LUNCHES,
        ),
        Article(
            slug="night-train",
            section="Transport",
            headline="Why the night train is late, and why passengers no longer mind",
            summary="Between one and four in the morning, a crew of nine replaces a signal box "
            "from 1961. We spent a night with them.",
            byline="Ilyas Berg",
            days_ago=2,
            time="6:00",
            caption="Signal box 14, minutes before it was switched off. Drawing: The Meridian Post",
            plate="rails",
            story=_NIGHT_TRAIN,
        ),
    )
}
