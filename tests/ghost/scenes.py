"""All scenes, in their order: the last one leaves Ghost without a key."""

from collections.abc import Callable

from tests.ghost import letters, life
from tests.ghost.life import Stage

Scene = Callable[[Stage], None]
SCENES: tuple[Scene, ...] = (
    life.join_and_refund,
    life.lapse_and_return,
    life.keep_what_ghost_has,
    life.leave_payers_alone,
    life.leave_gifts_of_staff_alone,
    life.follow_addresses,
    life.follow_to_a_known_address,
    life.merge_duplicates,
    life.erase_people,
    life.fill_ghost,
    life.find_and_repair_drift,
    life.survive_an_outage,
    life.bear_another_clock,
    letters.pass_newsletters_on,
    letters.add_subscribers,
    life.wait_for_a_tier,
    life.wait_for_a_key,
)
