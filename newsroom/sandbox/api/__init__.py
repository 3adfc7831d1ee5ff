"""The API: one module a noun, each its endpoints; `routing` finds them, `requests` answers."""
