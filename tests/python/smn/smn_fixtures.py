"""What the tests of the notification service use: a service with a mail server, webhooks, and clients.

These are no `conftest.py`, as a second module of that name would hide the one above for `from conftest import`.
"""

import asyncio
import email
import email.policy
import http.server
import json
import queue
import threading
from dataclasses import dataclass

import pytest
import requests
from aiosmtpd.smtp import SMTP
from conftest import log_in, running_weir
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdksmn.v2 import SmnClient

WAIT_SECONDS = 30


class Webhook:
    """An HTTP server that keeps what is posted to it, as (headers, body)."""

    def __init__(self, port=0):
        self.got = queue.Queue()
        webhook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                webhook.got.put((self.headers, json.loads(body)))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self):
        return self.got.get(timeout=WAIT_SECONDS)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class MailServer:
    """An SMTP server that keeps the mails it gets."""

    def __init__(self):
        self.got = queue.Queue()
        self.loop = asyncio.new_event_loop()
        started = self.loop.create_server(lambda: SMTP(self, loop=self.loop), "127.0.0.1", 0)
        self.server = self.loop.run_until_complete(started)
        self.port = self.server.sockets[0].getsockname()[1]
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    async def handle_DATA(self, _server, _session, envelope):
        self.got.put((envelope, email.message_from_bytes(envelope.content, policy=email.policy.default)))
        return "250 kept"

    def next(self):
        return self.got.get(timeout=WAIT_SECONDS)

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)


@dataclass(frozen=True)
class Service:
    endpoint: str
    access: dict
    mails: MailServer = None

    def client(self, form="plain"):
        credentials = BasicCredentials(self.access["WEIR_AK"], self.access["WEIR_SK"], self.access["WEIR_PROJECT_ID"])
        builder = SmnClient.new_builder()
        if form == "plain":
            return builder.with_credentials(credentials).with_endpoint(self.endpoint).build()
        builder = builder._with_derived_auth_service_name("smn")
        credentials.with_derived_predicate(lambda _request: True)
        return builder.with_credentials(credentials).with_region(Region("local", self.endpoint)).build()

    def call(self, method, path, **options):
        """Sends a request with the token and returns the answer."""
        path = path.replace("{project}", self.access["WEIR_PROJECT_ID"])
        headers = {"X-Auth-Token": self.access["WEIR_TOKEN"]}
        return requests.request(method, f"{self.endpoint}{path}", headers=headers, timeout=30, **options)


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    mails = MailServer()
    options = ["--internal-webhooks", "true", "--smtp-url", f"smtp://127.0.0.1:{mails.port}"]
    options += ["--smtp-sender", "Weir <weir@example.com>"]
    with running_weir(tmp_path_factory.mktemp("smn"), *options) as (endpoint, _process):
        yield Service(endpoint, log_in(endpoint), mails)
    mails.close()


@pytest.fixture
def webhook():
    webhook = Webhook()
    yield webhook
    webhook.close()
