"""Webhooks: registered, delivered, rotated and removed by somebody at a browser."""

from tests.e2e.visitor import Visitor


def test_register_rotate_and_remove_webhooks(visitor: Visitor) -> None:
    visitor.settle("Hooked")
    visitor.enter_token("acme", visitor.world.tokens.workspace("acme"))
    visitor.sees("checks pass")
    visitor.choose_and_start()
    visitor.headline("Complete")
    visitor.go(visitor.page.locator(".breadcrumbs a").last)
    visitor.page.locator(".tabs").get_by_role("link", name="Webhooks").click()
    visitor.sees("Changes are found by the next sync")
    visitor.look()

    visitor.press("Register")
    visitor.headline("This signs what Bitbucket delivers")
    visitor.look()
    visitor.follow("Go on")
    visitor.sees("chosen repositories has a webhook")
    visitor.look()
    repository = next(iter(visitor.world.world.workspaces["acme"].repositories.values()))
    visitor.world.change.comment("acme", repository.slug, min(repository.pull_requests))
    assert {one.status for one in visitor.world.deliveries} == {200}
    visitor.page.reload()
    visitor.sees("Comment on a pull request")
    visitor.press("Rotate secret")
    visitor.headline("This signs what Bitbucket delivers")
    visitor.follow("Go on")
    visitor.page.get_by_role("link", name="Remove", exact=True).click()
    visitor.look()
    visitor.press("Remove webhooks")

    visitor.sees("Webhooks removed")
    assert not any(
        one.hooks for one in visitor.world.world.workspaces["acme"].repositories.values()
    )
