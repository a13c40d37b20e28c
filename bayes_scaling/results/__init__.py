"""Results that have a file: their kinds, and which fit they belong to."""
