"""Tests of the simulated Bitbucket itself."""
