"""Watching a sync, stopping it, and going on."""

import re

from playwright.sync_api import expect

from tests.e2e.visitor import PHONE, Visitor


def connect(visitor: Visitor, organization: str) -> None:
    """A connection whose first sync has begun."""
    visitor.settle(organization)
    visitor.enter_token("acme", visitor.world.tokens.workspace("acme"))
    visitor.sees("checks pass")
    visitor.choose_and_start()


def test_watch_a_sync_to_its_end_without_reloading(visitor: Visitor) -> None:
    visitor.world.latency = 0.3
    connect(visitor, "Watching")
    visitor.page.evaluate("window.notReloaded = true")
    visitor.headline("Reading")
    visitor.look()

    visitor.world.latency = 0.0
    visitor.headline("Complete")

    assert visitor.page.evaluate("window.notReloaded")
    visitor.look()
    visitor.go(visitor.page.locator("nav[aria-label=Breadcrumb] a, .breadcrumbs a").last)
    for tab in ("Repositories", "Syncs", "Credentials", "Settings", "Overview"):
        visitor.go(visitor.page.locator(".tabs").get_by_role("link", name=tab))
        visitor.look()


def test_stop_a_sync_and_start_it_again(visitor: Visitor) -> None:
    visitor.world.latency = 0.3
    connect(visitor, "Stopping")

    visitor.press("Stop")
    visitor.headline("Stopped")
    visitor.look()
    visitor.world.latency = 0.0
    visitor.press("Sync again")

    visitor.page.wait_for_url(re.compile(r"/syncs/\d+/"))
    visitor.headline("Complete")
    visitor.open("/o/stopping/")
    expect(visitor.page.locator(".strip svg")).to_have_count(2)
    visitor.look()


def test_the_current_tab_is_in_view_on_a_phone(visitor: Visitor) -> None:
    connect(visitor, "Tabs")
    visitor.page.set_viewport_size(PHONE)

    visitor.page.locator(".breadcrumbs a").last.dispatch_event("click")
    visitor.go(visitor.page.locator(".tabs").get_by_role("link", name="Settings"))

    expect(visitor.page.locator(".tabs [aria-current]")).to_be_in_viewport(ratio=0.9)


def test_what_was_copied_can_be_seen(visitor: Visitor) -> None:
    connect(visitor, "Seeing")
    visitor.headline("Complete")

    for page in ("repositories", "pull-requests", "pipelines", "people"):
        visitor.open(f"/o/seeing/records/{page}/")
        expect(visitor.page.locator("tbody tr").first).to_be_visible()
        visitor.look()
    visitor.open("/o/seeing/records/pull-requests/")
    visitor.go(visitor.page.locator("tbody a[href*='/records/pull-requests/']").first)
    visitor.look()


def test_too_many_requests_become_a_wait_that_ends_by_itself(visitor: Visitor) -> None:
    visitor.settle("Waiting")
    visitor.enter_token("acme", visitor.world.tokens.workspace("acme"))
    visitor.sees("checks pass")
    visitor.world.faults.add(path=".*/pullrequests.*", kind="429_retry_after", times=8)

    visitor.choose_and_start()

    visitor.sees("Waiting until")
    visitor.look()
    visitor.headline("Complete")
