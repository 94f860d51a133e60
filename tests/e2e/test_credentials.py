"""A secret that is rotated, and a connection that is deleted and restored."""

import re

from playwright.sync_api import expect

from tests.e2e.visitor import Visitor


def connected(visitor: Visitor, organization: str) -> None:
    """Connect a workspace by a token, as a person would."""
    visitor.settle(organization)
    token = visitor.world.tokens.workspace("acme")
    visitor.enter_token("acme", token)
    visitor.sees("checks pass")
    visitor.follow("Choose what to sync")
    visitor.page.wait_for_load_state("networkidle")  # the estimate is there, and follows
    with visitor.page.expect_response(lambda answer: "estimate" in answer.url):
        visitor.page.locator("[name=streams][value=people]").uncheck()
    visitor.page.wait_for_load_state("networkidle")
    visitor.start()
    visitor.headline("Complete")


def test_rotation_compares_what_both_secrets_see(visitor: Visitor) -> None:
    connected(visitor, "Rotating")
    key = next(iter(visitor.world.world.workspaces["acme"].projects))
    fewer = visitor.world.tokens.project("acme", key)
    visitor.follow("Connections")
    visitor.follow("acme")
    visitor.follow("Credentials")
    visitor.sees("Sees 4 repositories")
    visitor.look()

    visitor.go(visitor.page.get_by_role("link", name=re.compile("^Rotate")))
    visitor.page.get_by_label("Access token", exact=True).fill(fewer)
    visitor.press("Verify and rotate")
    visitor.sees("fewer")
    visitor.look()
    assert fewer not in visitor.page.content()
    visitor.page.get_by_label("That is meant").check()
    visitor.press("Let it take over")

    visitor.sees("The new secret has taken over.")
    expect(visitor.page.get_by_text("Sees 4 repositories")).to_have_count(0)


def test_deleted_connection_is_restored_with_a_new_secret(visitor: Visitor) -> None:
    connected(visitor, "Deleting")
    visitor.follow("Connections")
    visitor.follow("acme")
    tabs = visitor.page.get_by_role("navigation", name="acme")
    visitor.go(tabs.get_by_role("link", name="Settings"))
    visitor.page.get_by_label("Type acme to confirm").fill("acme")
    visitor.press("Delete this connection")
    visitor.sees("can be restored until")
    visitor.look()

    visitor.page.get_by_role("button", name=re.compile("^Restore")).click()
    visitor.go(visitor.page.get_by_role("link", name="Choose Workspace access token"))
    visitor.page.get_by_label("Access token", exact=True).fill(
        visitor.world.tokens.workspace("acme", label="after it was deleted")
    )
    visitor.press("Verify")
    visitor.sees("checks pass")
    visitor.look()
    visitor.press("Restore acme")

    visitor.sees("acme is restored.")
    visitor.headline("acme")
