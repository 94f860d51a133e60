"""Numbers that the frame of every page shows. `settings.FRAME_COUNTS` names `counts`."""

from ingestion.selectors.connections import needs_you
from tenants.models import Organization


def counts(organization: Organization) -> dict[str, int]:
    """What stands beside the navigation and in the tab's title."""
    return {"needs_you": needs_you(organization)}
