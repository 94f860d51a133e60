"""Pipelines with a token of their own, beneath a connection that is there."""

from tests.e2e.visitor import Visitor


def test_connect_pipelines_beneath_a_connection_and_see_their_sync(visitor: Visitor) -> None:
    visitor.settle("Beneath")
    visitor.enter_token("acme", visitor.world.tokens.workspace("acme"))
    visitor.sees("checks pass")
    visitor.choose_and_start()
    visitor.headline("Complete")
    visitor.open("/o/beneath/connections/new/")

    visitor.follow("Bitbucket Pipelines")
    visitor.look()
    visitor.press("Go on")
    visitor.page.wait_for_url("**/how/")
    visitor.go(visitor.page.get_by_role("link", name="Choose Workspace access token"))
    token = visitor.world.tokens.workspace("acme", ["repository", "pipeline"])
    visitor.page.get_by_label("Access token", exact=True).fill(token)
    visitor.press("Verify")
    visitor.sees("checks pass")
    visitor.choose_and_start()

    visitor.headline("Complete")
    visitor.sees("Pipeline steps")
    visitor.go(visitor.page.locator(".breadcrumbs a").last)
    visitor.follow("acme")
    visitor.sees("pipelines are read by")
    visitor.open("/o/beneath/records/pipelines/")
    visitor.go(visitor.page.locator("tbody a[href*='/records/pipelines/']").first)
    visitor.look()
    for page in ("deployments", "commits"):
        visitor.open(f"/o/beneath/records/{page}/")
        visitor.look()
