"""A simulated Bitbucket Cloud that speaks HTTP. See README.md in this folder."""

from tests.sandbox.generation import Scale
from tests.sandbox.sandbox import Sandbox

__all__ = ["Sandbox", "Scale"]
