"""The WSGI application: granian --interface wsgi newsroom.wsgi:application."""

import os

from django.core.wsgi import get_wsgi_application
from django.utils.module_loading import import_string

from newsroom.start import explained, refuse_misconfiguration

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsroom.settings")
with explained():
    django_application = get_wsgi_application()
    refuse_misconfiguration()
# It can be imported only now that Django has loaded its apps.
application = import_string("newsroom.published.PublishedFiles")(django_application)
