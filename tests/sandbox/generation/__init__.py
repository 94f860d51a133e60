"""Makes a world from a seed: the same seed, scale and day give the same world."""

from tests.sandbox.generation.scale import Scale
from tests.sandbox.generation.worlds import generate

__all__ = ["Scale", "generate"]
