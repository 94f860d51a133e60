"""The ledger of requests: what each subject may still ask of Bitbucket in the rolling window."""

from ingestion.quota.ledger import Ledger, Usage, forget_lots, taken_here, usage
from ingestion.quota.window import BUCKETS, COUNTED

__all__ = (
    "BUCKETS",
    "COUNTED",
    "Ledger",
    "Usage",
    "forget_lots",
    "taken_here",
    "usage",
)
