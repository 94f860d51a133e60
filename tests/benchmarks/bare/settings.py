"""The product's settings with one more address: a view of the framework that does nothing."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.bare.urls"
