"""A hand that counts what it does: every press counts, the Enter key too; typing does not."""

from playwright.sync_api import Locator


class Hand:
    def __init__(self) -> None:
        self.clicks = 0

    def click(self, what: Locator) -> None:
        what.click()
        self.clicks += 1

    def enter(self, field: Locator) -> None:
        field.press("Enter")
        self.clicks += 1
