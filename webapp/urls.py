"""Addresses: annotators under /s/, researchers under /studies/ and /admin/."""

from django.contrib import admin
from django.urls import include, path

from annotation.views import platform_events
from webapp.health import health
from webapp.second_step import second_step

urlpatterns = [
    path("admin/second-step/", admin.site.admin_view(second_step), name="second_step"),
    path("admin/", admin.site.urls),
    path("s/<uuid:study>/", include("annotation.views.annotator_urls")),
    path("studies/", include("annotation.views.console_urls")),
    path("platforms/prolific/events/", platform_events.prolific),
    path("healthz", health),
]
