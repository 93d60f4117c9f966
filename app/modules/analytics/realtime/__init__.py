"""What happens now: the numbers of the last minutes, and events as they are accepted."""
