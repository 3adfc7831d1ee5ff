"""The WSGI application: granian --interface wsgi newsroom.wsgi:application."""

import os

from django.core.wsgi import get_wsgi_application

from newsroom.start import explained, refuse_misconfiguration

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsroom.settings")
with explained():
    application = get_wsgi_application()
    refuse_misconfiguration()
