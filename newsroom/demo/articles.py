"""Three invented articles for an invented newspaper, as fresh as on the day they are read."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone

WORDS_A_MINUTE = 200
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# No article is dated later than now, wherever it is read.
NIGHT = timedelta(hours=12)


@dataclass(frozen=True)
class Article:
    """A story; blank lines part its paragraphs, `{weekday}` is the day before it came out."""

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
        """How long it takes to read, in whole minutes."""
        return max(1, round(len(self.story.split()) / WORDS_A_MINUTE))

    @property
    def paragraphs(self) -> list[str]:
        eve = WEEKDAYS[(self.published_on - timedelta(days=1)).weekday()]
        story = self.story.strip().replace("{weekday}", eve)
        return [" ".join(paragraph.split()) for paragraph in story.split("\n\n")]

    @property
    def opening(self) -> list[str]:
        """What stands before the block banner."""
        return self.paragraphs[:3]

    @property
    def rest(self) -> list[str]:
        return self.paragraphs[3:]


LEAD = "repair-contracts"

_REPAIR_CONTRACTS = """
The city of Lindhaven has to show its contracts for the repair of eleven bridges to anybody who
asks for them, the regional administrative court decided on {weekday}. The city had refused for two
years, saying that the prices in them were the builders’ business secrets.

“Whoever is paid from the public purse must expect the public to ask what for,” presiding judge
Helene Aru said when she gave the ruling. A builder may keep its methods to itself, she said, but
not the sum at the bottom of the page.

The case was brought by this newspaper and by a residents’ group from the Lower Quay, where the
Weir Bridge has been closed to cars since March of last year. Its repair was announced at 4.1
million. By this summer the city had paid 9.7 million, and the barriers still stood.

What happened in between is not known, since the city gave out totals and nothing else. In court
its lawyer, Tomas Reinholt, said that publishing single prices would lead builders to agree on
them beforehand. The judges asked for an example of that in any city that publishes. He did not
name one.

Three companies took turns at nine of the eleven bridges, according to invoices that the court had
read behind closed doors and cited in its ruling. On six occasions the second-lowest bidder
stepped back within a week of the opening of the bids. The ruling draws no conclusion from that.
The prosecutor’s office said on {weekday} evening that it was reading the text.

Mayor Katrin Sõber called the decision “a reason to do what we should have done earlier” and said
that the city would not appeal. The contracts are to be on the city’s website by the end of
January, with names of private persons blacked out.

On the Lower Quay the ruling was read out at the bakery that has lost, its owner says, every third
customer since the bridge closed. “I do not need anybody punished,” Jonas Feld said. “I need to
know when the bus comes back.”

The city’s engineers say that it could be in May, if the winter is mild. The Meridian Post will
publish the contracts as soon as it has them, all of them, with the sums side by side.
"""

_SCHOOL_LUNCHES = """
Lunch in Lindhaven’s primary schools will cost parents nothing until the end of June. The council
voted 31 to 14 on {weekday} night to move 2.6 million from the road fund, after a debate of five
hours.

It is the third time in two years that the lunches were saved for some months. Head teachers say
that they can plan the menu, but not the kitchen: two of the four cooks at Mill Street have
contracts that end with the term.

Before the lunches became free, about one child in five did not eat at noon, a survey of the
school doctors found. Last winter it was one in thirty.

From summer on the lunches are to be paid for by a levy on empty flats. The levy’s first reading
is planned for February. It needs a majority that the council does not have today.

“I vote for soup and against a tax in the same week,” said councillor Piet Lagerlund, who did
both. “Ask me again when I have seen the number of flats.”

Nobody has counted them yet.
"""

_NIGHT_TRAIN = """
At seven minutes past one the last lamp on the old panel goes out, and nine people in orange look
at a telephone. When it rings, the line between Lindhaven and the coast belongs to them for two
hours and fifty minutes.

The panel in signal box 14 was built in 1961. It has 212 relays, of which 40 are older than the
man who looks after them. Spare parts come from a museum two valleys away.

For three weeks the crew has been replacing it in the only hours in which nothing runs but the
night train, which waits outside the station and is therefore late, by 25 minutes on average. The
railway has said so on every ticket.

Complaints fell by half after that, according to the railway. “People can wait,” says Dana Ruiz,
who leads the crew. “They cannot stand being told nothing.”

At three minutes to four she makes the call that gives the line back. The new panel is a grey
cupboard with one green lamp. It is on.
"""

ARTICLES = {
    article.slug: article
    for article in (
        Article(
            slug=LEAD,
            section="Courts",
            headline="Court tells Lindhaven to open its repair contracts",
            summary="For two years the city kept secret who mends its bridges, and for how "
            "much. Judges now say that readers may look.",
            byline="Marta Oliwa and Ilyas Berg",
            days_ago=0,
            time="7:40",
            caption="The Weir Bridge, closed since spring of last year. Drawing: The Meridian Post",
            plate="bridge",
            story=_REPAIR_CONTRACTS,
        ),
        Article(
            slug="school-lunches",
            section="Budget",
            headline="School lunches stay free until summer, and then nobody knows",
            summary="The council found the money for two terms. The third depends on a tax "
            "that has not been passed.",
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
            headline="The night train is late, and for once everybody knows why",
            summary="A crew of nine replaces a signal box from 1961 between one and four in "
            "the morning. We spent a night with them.",
            byline="Ilyas Berg",
            days_ago=2,
            time="6:00",
            caption="Signal box 14, minutes before it was switched off. Drawing: The Meridian Post",
            plate="rails",
            story=_NIGHT_TRAIN,
        ),
    )
}
