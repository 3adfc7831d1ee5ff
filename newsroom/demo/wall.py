"""Words of some of the demo's new members for the campaign page; the last two wait for staff."""

from datetime import datetime, timedelta

from campaigns.models import Campaign, WallEntry

WAITING = 2
# Town and sentence of each, in the order in which they joined.
WORDS = {
    "en": (
        ("Lindhaven", "I read you on the tram every morning, so I owe you a few stops."),
        ("Bergen", "Your map of the new bus lines was the first one I understood."),
        ("Porto", ""),
        ("Lindhaven", "You asked the question that I would have asked."),
        ("Graz", "For the night desk. Someone has to stay awake."),
        ("Lindhaven", "My grandfather set type for a newspaper. This one is for him."),
        ("Leeds", "Short, clear, and you say when you were wrong."),
        ("", "Because a free article isn’t free to write."),
        ("Turku", "Keep asking where the money went."),
    ),
    "uk": (
        ("Львів", "Читаю вас щоранку дорогою на роботу."),
        ("Полтава", "Дякую, що пояснюєте складне простими словами."),
        ("Одеса", ""),
    ),
}


def fill_wall(campaign: Campaign, *, now: datetime) -> None:
    """Let new members write their words, one every few hours."""
    tallies = campaign.tallies.counting_at(now).filter(member__isnull=False, member__erased_at=None)
    left = {language: list(words) for language, words in WORDS.items()}
    entries = []
    for tally in tallies.select_related("member").order_by("counted_from", "pk"):
        member = tally.member
        assert member is not None, "only people were asked for"
        if not left.get(member.language):
            continue
        town, sentence = left[member.language].pop(0)
        entries.append(
            WallEntry(
                campaign=campaign,
                member=member,
                first_name=member.name.split(" ")[0],
                town=town,
                sentence=sentence,
                language=member.language,
                status=WallEntry.Status.SHOWN,
                written_at=tally.counted_from + timedelta(minutes=5),
                decided_at=tally.counted_from + timedelta(hours=1),
            )
        )
    for entry in entries[-WAITING:]:
        entry.status, entry.decided_at = WallEntry.Status.WAITING, None
    WallEntry.objects.bulk_create(entries)
