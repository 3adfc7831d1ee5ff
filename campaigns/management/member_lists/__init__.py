"""Lists of earlier members: a file -> a table -> columns that we know -> entries to import."""
