"""Emulates AWS until standard input closes; prints the port it listens on.

It ends with the test that started it, however that test ends: the pipe then closes.
"""

import logging
import sys

from moto.server import ThreadedMotoServer

# A line per request would drown what the tests say.
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
