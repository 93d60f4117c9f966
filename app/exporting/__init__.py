"""Exports events and reports to files."""
