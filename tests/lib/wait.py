"""For what becomes true behind an answer: asked again and again, until it is."""

import time

BETWEEN_S = 0.02


def until(look, deadline=20, what=None):
    """The first true thing that `look` gives."""
    limit = time.monotonic() + deadline
    while not (found := look()):
        assert time.monotonic() < limit, f"not so after {deadline} s: {what() if what else found}"
        time.sleep(BETWEEN_S)
    return found
