"""What can be told of other processes of this machine by their number."""

from __future__ import annotations


def is_alive(pid: int) -> bool:
    """Whether there is such a process, whoever owns it. A zombie, which nobody has asked for its end yet, is none."""
    import psutil

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.AccessDenied:  # there is one, of which we may not know more
        return True
    except (psutil.NoSuchProcess, ValueError):  # a number that no process has: negative ones name groups
        return False
