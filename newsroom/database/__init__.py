"""Django's PostgreSQL backend with connections that are used again: the ENGINE of DATABASES."""
