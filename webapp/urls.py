"""Addresses: annotators under /s/, researchers under /studies/ and /admin/."""

from django.contrib import admin
from django.urls import path

from webapp.health import health

urlpatterns = [path("admin/", admin.site.urls), path("healthz", health)]
