"""One module per stream: where its walk begins, what its pages mean, what follows it."""
