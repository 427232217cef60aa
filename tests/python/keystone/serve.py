"""Runs Keystone's own application, for tests; its settings and port come from the environment."""

import os

from keystone.server import wsgi
from werkzeug.serving import run_simple

run_simple("127.0.0.1", int(os.environ["KEYSTONE_PORT"]), wsgi.initialize_public_application(), threaded=True)
