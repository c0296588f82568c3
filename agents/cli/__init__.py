"""The command line: `engage` and its subcommands, with their options and help."""
