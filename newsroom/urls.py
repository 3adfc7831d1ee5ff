"""URLs of the project: the admin, the language switch, the demo, bounces and the application."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from campaigns.admin.logins import show_login

urlpatterns = [
    path("admin/login/", show_login),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    *([path("", include("newsroom.demo.urls"))] if settings.DEMO else []),
    *([path("mail/", include("newsroom.bounces"))] if settings.HAS_ANYMAIL else []),
    path("", include("campaigns.urls")),
]
