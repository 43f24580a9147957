"""What is measured in a page is noted by who asked for it."""

from __future__ import annotations

import pytest


@pytest.fixture
def noted(request):
    """Return what notes the figures."""
    return request.config.pluginmanager.get_plugin("noted") or pytest.fail("run it by make bench-live or bench-inspector")


@pytest.fixture(autouse=True)
def patience(page):
    """Wait longer than a test does."""
    page.set_default_timeout(120_000)
