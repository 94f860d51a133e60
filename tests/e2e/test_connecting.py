"""Connecting Bitbucket: by consent, by token, and with a token that lacks something."""

from playwright.sync_api import expect

from tests.e2e.visitor import Visitor


def consent(visitor: Visitor, person: str) -> None:
    """Go through the wizard, and consent at Bitbucket."""
    to_authorizations(visitor)
    visitor.press("Continue to Bitbucket")
    visitor.page.get_by_role("button", name=person).click()
    visitor.press("Grant access")
    visitor.sees(f"You are at Bitbucket as {person}.")


def to_authorizations(visitor: Visitor) -> None:
    visitor.follow("+ Connection")
    visitor.follow("Bitbucket Cloud")
    visitor.go(visitor.page.get_by_role("link", name="Choose Bitbucket authorization"))
    visitor.look()


def test_one_consent_for_two_connections(visitor: Visitor) -> None:
    visitor.settle("Consenting")
    consent(visitor, "Ada Admin")
    visitor.look()
    visitor.page.get_by_role("checkbox", name="acme").check()
    visitor.page.get_by_role("checkbox", name="globex").check()
    visitor.press("Continue")
    visitor.look()
    visitor.page.get_by_role("radio", name="acme").check()
    visitor.press("Verify")
    visitor.sees("checks pass")
    visitor.look()
    visitor.choose_and_start()
    visitor.headline("Complete")

    visitor.open("/o/consenting/connections/")
    to_authorizations(visitor)
    visitor.page.get_by_role("button", name="Use it").click()
    visitor.page.get_by_role("radio", name="globex").check()
    visitor.press("Verify")
    visitor.sees("checks pass")
    visitor.open("/o/consenting/authorizations/")
    visitor.sees("acme, globex")
    visitor.look()


def test_somebody_outside_connects_by_a_link(visitor: Visitor) -> None:
    visitor.settle("Asking")
    consent(visitor, "Ben Member")
    visitor.press("Make a link for an administrator of acme")
    visitor.sees("Send this link")
    visitor.look()
    link = visitor.page.locator(".copy code").inner_text()

    browser = visitor.page.context.browser
    assert browser is not None
    outside = Visitor(browser.new_page(), visitor.house, visitor.world)
    outside.page.goto(link)
    outside.sees("asks you to let Tributary into the Bitbucket workspace acme")
    outside.look()
    outside.press("Continue to Bitbucket")
    outside.page.get_by_role("button", name="Ada Admin").click()
    outside.press("Grant access")
    outside.headline("Done")
    outside.sees("Read pull requests")  # each check, which passed
    outside.look()
    outside.page.goto(link)
    outside.sees("It works once")
    outside.page.context.close()

    visitor.follow("Go on")
    visitor.sees("Ada Admin (by a connect link) finished this connection")
    visitor.look()


def test_by_token(visitor: Visitor) -> None:
    visitor.settle("Tokens")
    token = visitor.world.tokens.workspace("acme")

    visitor.enter_token("acme", token)
    visitor.sees("checks pass")
    visitor.look()
    visitor.follow("Choose what to sync")
    visitor.page.get_by_label("Only those ticked below").check()
    expect(visitor.page.get_by_label("Search the list")).to_be_visible()
    visitor.page.get_by_label("All, with those to come").check()
    visitor.start()

    visitor.headline("Complete")
    assert token not in visitor.page.content()


def test_a_token_that_lacks_a_scope_goes_on_without_its_stream(visitor: Visitor) -> None:
    visitor.settle("Lacking")
    token = visitor.world.tokens.workspace(
        "globex", ["account", "repository", "pullrequest", "project"]
    )

    visitor.enter_token("globex", token)
    visitor.sees("The secret lacks the scope pipeline")
    visitor.look()
    visitor.press("Continue without pipelines")

    visitor.start()
    visitor.headline("Complete")


def test_a_token_that_lacks_several_scopes(visitor: Visitor) -> None:
    visitor.settle("Lacking more")
    token = visitor.world.tokens.workspace("globex", ["account", "repository"])

    visitor.enter_token("globex", token)

    visitor.sees("The secret lacks the scopes pullrequest and pipeline")
    visitor.look()
    visitor.press("Continue without pull requests and pipelines")
    visitor.page.wait_for_url("**/what-to-sync/")


def test_a_wrong_token_is_refused_and_nothing_is_put_back(visitor: Visitor) -> None:
    visitor.settle("Wrong")

    visitor.enter_token("acme", "ATCTT3xFfGN0wrong0token")

    visitor.sees("401")
    visitor.look()
    visitor.follow("Enter another token")
    assert "ATCTT3xFfGN0wrong0token" not in visitor.page.content()
    assert visitor.page.locator("[name=workspace]").input_value() == "acme"


def test_by_a_token_of_one_repository(visitor: Visitor) -> None:
    visitor.settle("One repository")

    enter(visitor, "Workspace access token")
    visitor.page.locator("[name=workspace]").fill("acme")
    visitor.page.locator("[name=repository]").fill("web")
    visitor.page.locator("[name=api_token]").fill(visitor.world.tokens.repository("acme", "web"))
    visitor.press("Verify")

    visitor.sees("Repository access token")
    visitor.look()
    visitor.choose_and_start()
    visitor.headline("Complete")


def test_by_an_api_token_and_never_by_an_app_password(visitor: Visitor) -> None:
    visitor.settle("Accounts")
    tokens = visitor.world.tokens

    enter(visitor, "Atlassian API token")
    visitor.page.locator("[name=workspace]").fill("acme")
    visitor.page.locator("[name=username]").fill("ada@example.com")
    visitor.page.locator("[name=password]").fill(tokens.app_password("ada@example.com"))
    visitor.press("Verify")
    visitor.sees("Bitbucket ended app passwords")
    visitor.look()
    visitor.follow("Enter another token")
    visitor.page.locator("[name=password]").fill(tokens.api_token("ada@example.com"))
    visitor.press("Verify")

    visitor.sees("Atlassian API token: acts as Ada")
    visitor.choose_and_start()
    visitor.headline("Complete")


def enter(visitor: Visitor, method: str) -> None:
    """Go through the wizard to the form of a method."""
    visitor.follow("+ Connection")
    visitor.follow("Bitbucket Cloud")
    visitor.go(visitor.page.get_by_role("link", name=f"Choose {method}"))


def test_any_secret_is_pasted(visitor: Visitor) -> None:
    visitor.settle("Pasting")
    token = visitor.world.tokens.api_token("ben@example.com")
    visitor.follow("+ Connection")
    visitor.follow("Bitbucket Cloud")

    visitor.page.get_by_label("Secret", exact=True).fill(token)
    visitor.press("Verify")
    visitor.sees("Bitbucket takes it together with the e-mail of its Atlassian account.")
    visitor.look()
    visitor.page.get_by_label("Atlassian account e-mail").fill("ben@example.com")
    visitor.press("Verify")
    visitor.page.get_by_role("radio", name="globex").check()
    visitor.press("Verify")

    visitor.sees("Atlassian API token: acts as Ben")
    visitor.look()
    visitor.choose_and_start()
    visitor.headline("Complete")
    assert token not in visitor.page.content()
