"""Addresses: annotators under /s/, researchers under /studies/ and /admin/."""

from django.contrib import admin
from django.urls import path

urlpatterns = [path("admin/", admin.site.urls)]
