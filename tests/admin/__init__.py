"""Staff's side, a module a noun, as in campaigns/admin."""
