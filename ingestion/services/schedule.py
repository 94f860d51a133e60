"""What is due, and whose turn it is: the tick's work, in few statements."""


def tick() -> None:
    """Start what is due and send what waits."""


def dispatch_due() -> int:
    """Send slices for which there is room. Returns how many."""
    return 0
