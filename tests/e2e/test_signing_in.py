"""Signing in, and going from one organization to another."""

from playwright.sync_api import expect

from tests.e2e.visitor import PHONE, Visitor


def test_sign_in_with_bitbucket_and_begin_an_organization(visitor: Visitor) -> None:
    visitor.open("/accounts/login/")
    visitor.look()

    visitor.press("Continue with Bitbucket")
    visitor.page.get_by_role("button", name="Ada Admin").click()
    visitor.press("Grant access")

    visitor.sees("You belong to no organization yet")
    visitor.look()
    visitor.follow("Create an organization")
    visitor.look()
    visitor.page.get_by_label("Name").fill("Of Ada")
    visitor.press("Create organization")
    visitor.page.wait_for_url("**/o/of-ada/")
    visitor.look()


def test_a_wrong_password_is_told_in_the_card(visitor: Visitor) -> None:
    visitor.open("/accounts/login/")
    visitor.page.fill("[name=login]", "nobody@example.com")
    visitor.page.fill("[name=password]", "wrong")

    visitor.press("Sign in with e-mail")

    visitor.sees("do not belong together")
    visitor.look()


def test_switch_the_organization(visitor: Visitor) -> None:
    visitor.settle("North", "South")

    visitor.page.locator("summary", has_text="North").click()
    visitor.go(visitor.page.get_by_role("link", name="South", exact=True))

    visitor.page.wait_for_url("**/o/south/")
    visitor.look()


def test_a_long_name_leaves_the_menu_in_reach(visitor: Visitor) -> None:
    visitor.settle("Zweite Organisation mit einem sehr langen Namen GmbH & Co. KG")

    visitor.look()
    visitor.page.set_viewport_size(PHONE)

    expect(visitor.page.locator(".topbar-menu > summary")).to_be_in_viewport(ratio=1)


def test_every_page_of_the_rail(visitor: Visitor) -> None:
    visitor.settle("Rail")
    links = visitor.page.locator("nav a[href^='/o/rail/']")
    paths = {link.get_attribute("href") or "" for link in links.all()}

    assert len(paths) >= 7
    for path in sorted(paths):
        visitor.open(path)
        visitor.look()
