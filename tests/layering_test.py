"""Rows of the layering rules: what they let pass and what they refuse."""

import unittest

import layering

ROWS = [
    # path, line, whether it is refused
    ("net/worker.c", '#include "base/log.h"', False),
    ("net/worker.c", '#include "net/worker.h"', False),
    ("net/worker.c", '#include "worker.h"', True),
    ("net/worker.c", '#include "store/store.h"', True),
    ("net/worker.c", '#include "net/worker_internal.h"', False),
    ("bus/bus.c", '#include "net/worker_internal.h"', True),
    ("net/worker.c", "#include <event2/event.h>", False),
    ("net/worker.c", "#include <sys/socket.h>", False),
    ("net/worker.c", "#include <unknown/library.h>", True),
    ("hub/twin.c", "#include <event2/event.h>", True),
    ("hub/twin.c", '  #  include "provisioning/provisioning.h"', True),
    ("hub/twin.c", '#include "identity/device.h"', False),
    ("hub/twin.c", "#include <jansson.h>", True),
    ("hub/twin_test.c", "#include <jansson.h>", False),
    ("hub/twin_test.c", '#include "central/central.h"', True),
    ("cmd/serve.c", "#include <event2/thread.h>", False),
    ("cmd/keygen.c", "#include <event2/thread.h>", True),
    ("front/mqtt/connect.c", '#include "central/central.h"', True),
    ("front/mqtt/connect.c", '#include "front/http/route.h"', True),
    ("front/mqtt/connect.c", '#include "hub/session.h"', False),
    ("front/http/route.c", '#include "central/central.h"', False),
    ("front/http/route.c", '#include "store/store.h"', True),
    ("attic/box.c", "", True),
]


class LayeringRules(unittest.TestCase):
    def test_rows(self):
        allowed = layering.allowed_folders()
        for path, line, refused in ROWS:
            with self.subTest(path=path, line=line):
                self.assertEqual(bool(layering.complaints(path, line, allowed)), refused)


if __name__ == "__main__":
    unittest.main()
