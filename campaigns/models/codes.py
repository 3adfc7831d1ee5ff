"""Claim codes: derived by a key from the gift and its generation, and stored nowhere readable.

The key can be changed: `GIFT_CODE_KEY` makes the new codes, and those of the keys in
`GIFT_CODE_KEY_FALLBACKS` stay good.
"""

import base64
import hmac
import uuid

from django.conf import settings

# Crockford's base 32: no I, L, O or U, and the look-alikes are read as what was meant.
_RFC4648 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TO_CROCKFORD = str.maketrans(_RFC4648, _CROCKFORD)
_LOOK_ALIKES = str.maketrans("OIL", "011")
CODE_LENGTH = 20  # characters of five bits: 100 bits
HINT_LENGTH = 5


class CodeKeyLost(Exception):
    """None of the configured keys makes this gift's code: the key was taken away too early."""


def derive_code(gift_id: uuid.UUID, generation: int, *, key: str = "") -> str:
    """The claim code of that gift and generation under that key, by default the newest.

    100 bits of a keyed hash, in four groups of five for reading aloud.
    """
    digest = hmac.digest(
        (key or settings.GIFT_CODE_KEY).encode(), f"{gift_id}:{generation}".encode(), "sha256"
    )
    letters = base64.b32encode(digest).decode().translate(_TO_CROCKFORD)[:CODE_LENGTH]
    return "-".join(letters[at : at + 5] for at in range(0, CODE_LENGTH, 5))


def rederive_code(gift_id: uuid.UUID, generation: int, *, code_hash: str) -> str:
    """The code again, months later, by whichever key it was made; raises CodeKeyLost."""
    for key in code_keys():
        code = derive_code(gift_id, generation, key=key)
        if hmac.compare_digest(hash_code(code, key=key), code_hash):
            return code
    raise CodeKeyLost(f"gift {gift_id}")


def normalise_code(typed: str) -> str:
    """What was meant by what was typed: case, spaces, hyphens and look-alikes do not matter."""
    letters = "".join(letter for letter in typed.upper() if letter.isalnum())
    return letters.translate(_LOOK_ALIKES)


def hash_code(typed: str, *, key: str = "") -> str:
    """The lookup hash of a code under that key, by default the newest."""
    key_bytes = (key or settings.GIFT_CODE_KEY).encode()
    return hmac.digest(key_bytes, normalise_code(typed).encode(), "sha256").hex()


def possible_hashes(typed: str) -> list[str]:
    """The lookup hashes of a code as somebody typed it: one for each key that may have made it."""
    return [hash_code(typed, key=key) for key in code_keys()]


def code_keys() -> list[str]:
    """The newest first."""
    return [settings.GIFT_CODE_KEY, *settings.GIFT_CODE_KEY_FALLBACKS]
