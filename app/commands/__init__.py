"""The commands of `footfall`, one subject a file; app/cli.py puts them together."""
