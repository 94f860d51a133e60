"""The last step of the wizard: what is chosen, and what that takes."""

from playwright.sync_api import expect

from tests.e2e.visitor import Visitor


def test_the_estimate_moves_with_the_choice_and_the_first_sync_starts(visitor: Visitor) -> None:
    visitor.settle("Estimating")
    visitor.enter_token("acme", visitor.world.tokens.workspace("acme"))
    visitor.sees("checks pass")
    visitor.follow("Choose what to sync")
    estimate = visitor.page.locator("#estimate strong")

    expect(estimate).to_contain_text("requests: all of them now, complete by")
    expect(visitor.page.get_by_label("Every 15 minutes")).to_be_checked()
    everything = estimate.inner_text()
    visitor.page.get_by_label("The last 30 days").check()
    expect(estimate).not_to_have_text(everything)
    shorter = estimate.inner_text()
    visitor.page.get_by_label("Pull request history").uncheck()
    expect(estimate).not_to_have_text(shorter)
    visitor.page.get_by_label("Once a day", exact=True).first.check()
    visitor.sees("Every day takes about")
    visitor.start()

    visitor.headline("Complete")
