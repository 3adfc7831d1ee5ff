from django.urls import path

from newsroom.demo import connections, views

app_name = "demo"

urlpatterns = [
    path("", views.show_article, name="article"),
    path("articles/<slug:slug>/", views.show_article, name="related"),
    path("hooks/members/", connections.receive_webhook, name="webhook"),
    path("hello/", connections.greet_member, name="hello"),
    path("mails/", views.list_all_mails, name="mails"),
    path("mails/<slug:name>/", views.show_mail, name="mail"),
    path("mails/<slug:name>/body/", views.show_mail_body, name="mail_body"),
]
