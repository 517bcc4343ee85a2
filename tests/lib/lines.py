"""The output of a process, line by line, to be waited for."""

import threading
import time


class Lines:
    """Reads a stream on a thread of its own, so that the process never waits for the test."""

    def __init__(self, stream):
        self.lines = []
        self.ended = False
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self.thread.start()

    def _read(self, stream):
        with stream:
            for line in stream:
                with self.changed:
                    self.lines.append(line.rstrip("\n"))
                    self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def wait_for(self, wanted, deadline=10):
        """The first line for which `wanted(line)` holds, now or when it comes."""
        until = time.monotonic() + deadline
        seen = 0
        with self.changed:
            while True:
                for line in self.lines[seen:]:
                    if wanted(line):
                        return line
                seen = len(self.lines)
                left = until - time.monotonic()
                if self.ended or left <= 0:
                    raise AssertionError("the line did not come; last ones:\n" + self.tail())
                self.changed.wait(left)

    def tail(self, count=40):
        return "\n".join(self.lines[-count:])

    def join(self, deadline=10):
        self.thread.join(deadline)
