"""Sessions: derived from events, stored as a cache, and counted exactly and freshly."""
