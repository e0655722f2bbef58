"""Exceptions that are meant for the user: the command line prints them without a traceback."""


class InputError(Exception):
    """Something the user gave is wrong; the message says what, where, what was expected and what to do."""


class ScanError(InputError):
    """One scan cannot be used; its subject becomes a row with this reason and the cohort goes on."""
