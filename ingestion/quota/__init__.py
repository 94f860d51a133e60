"""The ledger of requests: what each subject may still ask of Bitbucket in the rolling window."""

from ingestion.quota.ledger import Ledger, Usage, book_ahead, forget_lots, taken_here, usage
from ingestion.quota.window import BUCKETS, COUNTED

__all__ = (
    "BUCKETS",
    "COUNTED",
    "Ledger",
    "Usage",
    "book_ahead",
    "forget_lots",
    "taken_here",
    "usage",
)
