"""Addresses of the researchers' pages of a study."""

from django.urls import path

from annotation.views import downloads

urlpatterns = [
    path("<uuid:code>/exports/<str:name>", downloads.download, name="export"),
]
