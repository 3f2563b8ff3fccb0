"""The one rule of rounding in lending: to the nearest minor unit, a half goes up."""

PPM = 10**6


def nearest(numerator: int, denominator: int) -> int:
    """The whole number nearest to a fraction that is not negative; a half goes up."""
    return (2 * numerator + denominator) // (2 * denominator)


def share(minor: int, ppm: int) -> int:
    """So many millionths of an amount, in minor units."""
    return nearest(minor * ppm, PPM)
