"""The credentials that the demo knows beforehand."""

from __future__ import annotations

from tests.sandbox.scopes import READ_ALL
from tests.sandbox.tokens import Tokens

FULL = "ATCTT3xFfGN0demo_acme_everything_2f6c1d0b9e8a7f54=0A1B2C3D"
WITHOUT_PIPELINE = "ATCTT3xFfGN0demo_acme_without_pipeline_7c41e0d9b2=4E5F6A7B"
GLOBEX_WITHOUT_PIPELINE = "ATCTT3xFfGN0demo_globex_without_pipeline_91d3b7a6e2=7A8B9C0D"
API_TOKEN = "ATATT3xFfGF0demo_ada_api_token_5b0e9d8c7f6a1423=8C9D0E1F"
LABELS = {
    FULL: "acme: everything",
    WITHOUT_PIPELINE: "acme: lacks the scope pipeline",
    GLOBEX_WITHOUT_PIPELINE: "globex: lacks the scope pipeline",
    API_TOKEN: "ada@example.com: API token",
}


def add_demo_tokens(tokens: Tokens) -> None:
    """A full workspace token, two that lack `pipeline`, and Ada's API token."""
    lacking = [scope for scope in READ_ALL if scope != "pipeline"]
    tokens.workspace("acme", label=LABELS[FULL], secret=FULL)
    tokens.workspace("acme", lacking, LABELS[WITHOUT_PIPELINE], WITHOUT_PIPELINE)
    tokens.workspace("globex", lacking, LABELS[GLOBEX_WITHOUT_PIPELINE], GLOBEX_WITHOUT_PIPELINE)
    tokens.api_token("ada@example.com", label=LABELS[API_TOKEN], secret=API_TOKEN)
