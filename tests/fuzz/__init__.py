"""Files and options altered at random, read as a user would read them; see ``engine.py``."""
