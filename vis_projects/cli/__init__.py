"""The `vis <verb>` commands: one thin file per verb, all work is done elsewhere."""
