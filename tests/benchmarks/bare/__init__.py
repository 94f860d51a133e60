"""The product with two addresses more, where views do nothing: what it is measured beside."""
