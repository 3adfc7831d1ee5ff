"""The formats of dates and times: the same in each language, with a clock of 24 hours."""
