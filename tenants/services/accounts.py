"""Changes what a person sets for oneself. Belongs to no organization, so to no audit trail."""

from tenants.models import User
from tenants.services.errors import DoesNotFit
from tenants.services.fields import clean_name, clean_timezone


def update_account(*, user: User, name: str, timezone: str, theme: str) -> User:
    """Change name, time zone (empty: the organization's) and theme. Raises DoesNotFit."""
    user.name = clean_name(name, longest=150) if name.strip() else ""
    user.timezone = clean_timezone(timezone) if timezone else ""
    if theme not in User.Theme.values:
        raise DoesNotFit("theme", "Choose one of the themes.")
    user.theme = User.Theme(theme)
    user.save(update_fields=["name", "timezone", "theme"])
    return user
