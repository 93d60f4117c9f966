"""Tokens with which a host's server says: I have shown this item."""
