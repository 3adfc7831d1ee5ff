"""The ASGI application, for servers that need one instead of newsroom.wsgi."""

import os

from django.core.asgi import get_asgi_application

from newsroom.start import explained, refuse_misconfiguration

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsroom.settings")
with explained():
    application = get_asgi_application()
    refuse_misconfiguration()
