"""Tests of the admin, with modules named as in campaigns/admin."""
