"""The two kinds of failure. Permanent ones are never retried; transient ones are, with back-off."""


class PermanentError(Exception):
    """Bad input or a wrong setting: trying again cannot help. The message says what to change."""


class TransientError(Exception):
    """A server or the network is in the way: trying again later may help. The message names the server and its setting."""
