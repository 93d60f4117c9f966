"""Demonstration data: a shop with auctions that nobody runs, and the people who visit it."""
