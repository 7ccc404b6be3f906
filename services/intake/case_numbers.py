"""Case numbers: short enough for the phone, such as MG-7K4M-2PQW, with a check character.

ISO 7064's pure system with radix 2 over a prime number of characters (31): the weights of neighbours differ
and no weight is 0, so every single wrong character and every swap of neighbours is noticed. The alphabet is
Crockford's without V, which is heard as W or F and written like U.
"""

import secrets

from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_37_2

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTWXYZ"
_PREFIX = "MG"
_LENGTH = 7
_FORGIVEN = str.maketrans("OIL", "011")


def draw() -> str:
    """A random case number: one of 31⁷, so 27 thousand million."""
    rest = secrets.randbelow(len(ALPHABET) ** _LENGTH)
    digits = ""
    for _ in range(_LENGTH):
        rest, digit = divmod(rest, len(ALPHABET))
        digits += ALPHABET[digit]
    return complete(digits)


def complete(digits: str) -> str:
    """The case number of seven characters of the alphabet."""
    digits += mod_37_2.calc_check_digit(digits, ALPHABET)
    return f"{_PREFIX}-{digits[:4]}-{digits[4:]}"


def parse(text: str) -> str | None:
    """The case number that somebody typed or dictated, or None when it can't be one.

    Forgives lower case, blanks, missing or other hyphens, a missing MG, O for 0 and I or L for 1.
    """
    typed = "".join(character for character in text.upper() if character.isalnum()).translate(_FORGIVEN)
    if len(typed) == len(_PREFIX) + _LENGTH + 1 and typed.startswith(_PREFIX):
        typed = typed.removeprefix(_PREFIX)
    if len(typed) != _LENGTH + 1:
        return None
    try:
        mod_37_2.validate(typed, ALPHABET)
    except ValidationError:
        return None
    return complete(typed[:_LENGTH])
