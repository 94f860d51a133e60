"""Personas who can sign in, and the crowd around them."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.sandbox.generation.draw import FIRST_NAMES, LAST_NAMES, Draw
from tests.sandbox.people import Person
from tests.sandbox.world import World

PERSONAS = (
    ("ada", "Ada Admin", "ada@example.com"),
    ("ben", "Ben Member", "ben@example.com"),
    ("olga", "Olga Outsider", "olga@example.com"),
)


def add_personas(world: World, draw: Draw, until: datetime) -> None:
    """Ada (workspace admin), Ben (member) and Olga (outsider)."""
    for key, name, email in PERSONAS:
        person = _person(draw, name, email, until)
        person.persona = key
        world.people[person.uuid] = person


def crowd(world: World, draw: Draw, count: int, until: datetime) -> list[Person]:
    """So many further people; the fifth is a bot, two of them share a nickname."""
    people = [_stranger(draw, number, until) for number in range(count)]
    for person in people:
        world.people[person.uuid] = person
    if count > 4:
        people[4].kind, people[4].display_name = "app_user", "Release Bot"
    if count > 6:
        people[6].nickname = people[5].nickname
    return people


def _stranger(draw: Draw, number: int, until: datetime) -> Person:
    first = FIRST_NAMES[(number * 7 + 3) % len(FIRST_NAMES)]
    last = LAST_NAMES[(number * 3 + number // len(LAST_NAMES)) % len(LAST_NAMES)]
    return _person(draw, f"{first} {last}", f"person-{draw.uuid()[1:9]}@example.com", until)


def _person(draw: Draw, name: str, email: str, until: datetime) -> Person:
    return Person(
        uuid=draw.uuid(),
        account_id=f"712020:{draw.uuid()[1:-1]}",
        nickname=name.split()[0].lower(),
        display_name=name,
        email=email,
        created_on=until - timedelta(days=900, seconds=draw.random.random() * 1e6),
    )
