"""Invented readers from many places; their addresses are under example.org."""

import random
import unicodedata
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

FIRST = {
    "en": "Ada Ben Clara David Elin Farid Grace Hiro Ines Jonas Kofi Lena Mateo Nadia Olu Petra "
    "Quinn Rosa Samir Tove Ursula Viktor Wen Yara Zoë Anouk Bruno Dilara Emil",
    "uk": "Олена Тарас Ганна Андрій Марія Богдан",
}
LAST = {
    "en": "Abara Berg Costa Dahl Evans Fischer García Haddad Ito Jansen Kowalska Lindqvist Moreau "
    "Novák Okafor Petrov Quispe Rossi Schmidt Tanaka Udo Varga Weiss Yılmaz",
    "uk": "Бондар Гончар Коваль Мельник Шевчук Ткач",
}
LATIN = dict(
    zip(
        "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя’",
        "a b v h g d e ye zh z y i yi y k l m n o p r s t u f kh ts ch sh shch _ yu ya _".split(),  # noqa: SIM905
        strict=True,
    )
)


class Person(NamedTuple):
    name: str
    email: str
    language: str


def meet_people(chance: random.Random) -> Iterator[Person]:
    """Yield every person once, in random order."""
    people = [
        Person(f"{first} {last}", make_address(f"{first} {last}"), language)
        for language in FIRST
        for first, last in product(FIRST[language].split(), LAST[language].split())
    ]
    chance.shuffle(people)
    yield from people


def make_address(name: str) -> str:
    """Return an address with the name in Latin letters."""
    latin = "".join(LATIN.get(letter, letter) for letter in name.lower()).replace("_", "")
    plain = unicodedata.normalize("NFKD", latin.replace("ı", "i").replace("ł", "l"))
    letters = "".join(letter for letter in plain if letter.isascii())
    return letters.replace(" ", ".") + "@example.org"
