"""The command line: one file per command group that parses, calls and prints. The only room that prints."""
