"""The control page and its JSON twin: break things, change things, look at the counts."""
