"""A Chromium that hangs fails the test that waits for it, and no other."""

import pytest
from playwright.sync_api import Error, Page

from tests.browser.conftest import Chromium, killed_after

pytestmark = pytest.mark.browser
NEVER = "new Promise(() => {})"
BUSY = "while (true) {}"


@pytest.mark.parametrize("script", [NEVER, BUSY])
def test_what_is_never_answered_ends_and_the_next_test_has_a_browser(chromium: Chromium, script: str) -> None:
    page = chromium.running().new_page()
    with killed_after(1), pytest.raises(Error, match="closed"):
        page.evaluate(script)
    again = chromium.running().new_page()
    assert again.evaluate("6 * 7") == 42
    again.close()


def test_what_is_answered_in_time_is_left_alone(page: Page) -> None:
    with killed_after(60):
        assert page.evaluate("6 * 7") == 42
    assert page.evaluate("6 * 7") == 42
