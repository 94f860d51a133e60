"""What a sync will take: measured by few requests, added up by the costs that a source tells."""

from ingestion.estimates.estimate import Allowance, Estimate
from ingestion.estimates.subjects import estimate_draft, estimate_of, listed

__all__ = ("Allowance", "Estimate", "estimate_draft", "estimate_of", "listed")
