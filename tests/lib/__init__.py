"""What the tests from outside are written with: a server, its command line, and strict clients."""
