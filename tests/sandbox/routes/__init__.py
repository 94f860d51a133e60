"""The endpoints of /2.0, a module for each group."""
