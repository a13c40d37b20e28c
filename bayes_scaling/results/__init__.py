"""Results that have a file: their kinds, and which fit they belong to."""

__all__: list[str] = []
