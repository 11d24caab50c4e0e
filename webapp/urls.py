"""Addresses: annotators under /s/, researchers under /studies/ and /admin/."""

from django.contrib import admin
from django.urls import include, path

from webapp.health import health

urlpatterns = [
    path("admin/", admin.site.urls),
    path("s/<uuid:study>/", include("annotation.views.annotator_urls")),
    path("studies/", include("annotation.views.console_urls")),
    path("healthz", health),
]
