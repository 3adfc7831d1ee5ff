"""URLs of the project: the admin, the language switch, the demo, bounces and the application."""

from allauth.account import views as account
from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from campaigns.admin import error_pages
from campaigns.admin.logins import show_login
from campaigns.admin.search import show_search
from campaigns.admin.setup import show_setup

admin.autodiscover()

# Of django-allauth, only these pages: nobody can sign up, and passwords are not reset by e-mail.
sign_in_urls = [
    path("login/", show_login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("password_change/", account.password_change, name="account_change_password"),
    path("account/reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("account/second-factor/", include("allauth.mfa.urls")),
    path("account/sessions/", include("allauth.usersessions.urls")),
]

urlpatterns = [
    path("admin/", include(sign_in_urls)),  # instead of the admin's own pages
    path("admin/search/", admin.site.admin_view(show_search), name="admin_search"),
    path("admin/setup/", admin.site.admin_view(show_setup), name="admin_setup"),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    *([path("", include("newsroom.demo.urls"))] if settings.DEMO else []),
    *([path("mail/", include("newsroom.bounces"))] if settings.HAS_ANYMAIL else []),
    path("", include("campaigns.urls")),
]

handler400 = error_pages.show_bad_request
handler403 = error_pages.show_denied
handler404 = error_pages.show_missing
handler500 = error_pages.show_server_error
