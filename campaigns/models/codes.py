"""Claim codes: derived with a key from the gift and its generation, and never stored as text.

The key can be replaced: new codes use `GIFT_CODE_KEY`, and codes made with the keys in
`GIFT_CODE_KEY_FALLBACKS` stay valid.
"""

import base64
import hmac
import uuid

from django.conf import settings

# Crockford's base 32 has no I, L, O or U; look-alikes are read as the intended character.
_RFC4648 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TO_CROCKFORD = str.maketrans(_RFC4648, _CROCKFORD)
_LOOK_ALIKES = str.maketrans("OIL", "011")
CODE_LENGTH = 20  # characters of five bits: 100 bits
HINT_LENGTH = 5


class CodeKeyLost(Exception):
    """Raised if no configured key produces the gift's code: its key was removed too early."""


def derive_code(gift_id: uuid.UUID, generation: int, *, key: str = "") -> str:
    """Return the claim code of that gift and generation; by default with the newest key.

    The code is 100 bits of a keyed hash, in four groups of five characters for reading aloud.
    """
    digest = hmac.digest(
        (key or settings.GIFT_CODE_KEY).encode(), f"{gift_id}:{generation}".encode(), "sha256"
    )
    letters = base64.b32encode(digest).decode().translate(_TO_CROCKFORD)[:CODE_LENGTH]
    return "-".join(letters[at : at + 5] for at in range(0, CODE_LENGTH, 5))


def rederive_code(gift_id: uuid.UUID, generation: int, *, code_hash: str) -> str:
    """Return an existing code, with whichever key produced it; raises CodeKeyLost."""
    for key in code_keys():
        code = derive_code(gift_id, generation, key=key)
        if hmac.compare_digest(hash_code(code, key=key), code_hash):
            return code
    raise CodeKeyLost(f"gift {gift_id}")


def normalise_code(typed: str) -> str:
    """Return the code without case, spaces, hyphens and look-alikes."""
    letters = "".join(letter for letter in typed.upper() if letter.isalnum())
    return letters.translate(_LOOK_ALIKES)


def hash_code(typed: str, *, key: str = "") -> str:
    """Return the lookup hash of a code; by default with the newest key."""
    key_bytes = (key or settings.GIFT_CODE_KEY).encode()
    return hmac.digest(key_bytes, normalise_code(typed).encode(), "sha256").hex()


def possible_hashes(typed: str) -> list[str]:
    """Return the possible lookup hashes of a typed code, one for each key."""
    return [hash_code(typed, key=key) for key in code_keys()]


def code_keys() -> list[str]:
    """Return the keys, the newest first."""
    return [settings.GIFT_CODE_KEY, *settings.GIFT_CODE_KEY_FALLBACKS]
