"""Somebody at a browser: what a person does, step by step."""

import re
import secrets
from typing import ClassVar
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Locator, Page, ViewportSize, expect

from tests.house import House
from tests.sandbox import Sandbox

PASSWORD = "correct horse battery staple"
# axe leaves the rules of WCAG 2.2 out by itself
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE: ViewportSize = {"width": 390, "height": 844}
NAMED = re.compile(r"/o/[^/]+|/[0-9a-f-]{36}|/[0-9]+")  # in an address: of which one, not of what
SECONDS = 30_000  # milliseconds: two cores may be busy with other tests


class Visitor:
    """Walks through the pages, and looks at each with axe, once in each state."""

    looked: ClassVar[set[str]] = set()  # by all visitors: addresses with headlines

    def __init__(self, page: Page, house: House, world: Sandbox) -> None:
        self.page, self.house, self.world = page, house, world
        self.complaints: list[str] = []
        self.email = f"visitor-{secrets.token_hex(4)}@example.com"
        page.set_default_timeout(SECONDS)
        expect.set_options(timeout=SECONDS)
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} at {self.page.url}")

    def settle(self, *organizations: str) -> None:
        """Become a user who owns these organizations, and sign in."""
        self.house.errand("-m", "tests.newcomer", self.email, PASSWORD, *organizations)
        self.open("/accounts/login/")
        self.page.fill("[name=login]", self.email)
        self.page.fill("[name=password]", PASSWORD)
        self.press("Sign in with e-mail")
        self.page.wait_for_url("**/o/**")

    def open(self, path: str) -> None:
        self.page.goto(f"{self.house.url}{path}")

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        self.go(self.page.get_by_role("link", name=name, exact=True).first)

    def go(self, link: Locator) -> None:
        """Click a link, and wait for the page that it leads to."""
        with self.page.expect_navigation():
            link.click()

    def sees(self, text: str) -> None:
        """Wait until the page says so."""
        expect(self.page.get_by_text(text).first).to_be_visible()

    def headline(self, text: str) -> None:
        """Wait until the page's headline says so."""
        expect(self.page.locator("h1")).to_contain_text(text)

    def look(self) -> None:
        """Nothing on this page is in the way of a keyboard, a screen reader or a phone.

        A page is the same again where it has the same headline, notices and cards.
        """
        state = self.page.locator("h1, h2, .notice-text strong, .badge").all_inner_texts()
        here = " ".join([NAMED.sub("/…", urlsplit(self.page.url).path), *sorted(set(state))])
        if here in self.looked:
            return
        self.looked.add(here)
        self.page.evaluate(
            "scrollTo(0, 0)"
        )  # what is scrolled beneath the top bar is hit by nobody
        found = Axe().run(self.page, options={"runOnly": STANDARDS})
        names = {
            f"{each['id']}: {node['html'][:200]}"
            for each in found.response["violations"]
            for node in each["nodes"]
        }
        assert names == set(), f"{self.page.url}\n" + "\n".join(sorted(names))
        self._fits_a_phone()

    def _fits_a_phone(self) -> None:
        before = self.page.viewport_size
        self.page.set_viewport_size(PHONE)
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= PHONE["width"], f"{self.page.url} is {wide} pixels wide on a phone"
        if before:
            self.page.set_viewport_size(before)

    def enter_token(self, workspace: str, token: str) -> None:
        """Go through the wizard up to the checks with a workspace access token."""
        self.follow("+ Connection")
        self.look()
        self.follow("Bitbucket Cloud")
        self.look()
        self.go(self.page.get_by_role("link", name="Choose Workspace access token"))
        self.page.locator("[name=workspace]").fill(workspace)
        self.page.get_by_label("Access token", exact=True).fill(token)
        self.look()
        self.press("Verify")

    def choose_and_start(self) -> None:
        """Go on from checks that pass, and start the first sync."""
        self.follow("Choose what to sync")
        self.start()

    def start(self) -> None:
        """Take what is offered, and start the first sync."""
        self.page.wait_for_url("**/what-to-sync/")
        self.look()
        self.press("Start the first sync")
        self.page.wait_for_url("**/syncs/*/")
