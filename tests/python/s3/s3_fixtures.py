"""What the object tests share: where the service is, and a bucket of their own."""

import os
import urllib.parse
import uuid

import pytest


def needed(name):
    """Returns a variable of the environment; a test without it fails instead of being left out."""
    value = os.environ.get(name)
    if not value:
        pytest.fail(f"{name} is not set; see tests/python/conftest.py")
    return value


def address():
    """Returns host and port of the object endpoint."""
    url = urllib.parse.urlsplit(needed("WEIR_S3_ENDPOINT"))
    return url.hostname, url.port


def new_name(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:12]}"
