"""Addresses for annotators, all under /s/<study code>/: no name or number of anything else appears in them."""

from django.urls import path

from annotation.views import entrance, entry, frames, rating, steps

app_name = "annotator"
urlpatterns = [
    # First, because it is asked for far more often than all the others together.
    path("<uuid:code>/", rating.rate, name="rate"),
    path("", entrance.landing, name="landing"),
    path("enter/", entrance.enter, name="enter"),
    path("hit/", frames.hit, name="hit"),
    path("hit/state/", frames.hit_state, name="hit_state"),
    path("declined/", entrance.declined, name="declined"),
    path("instructions/", entry.instructions, name="instructions"),
    path("device/", steps.device, name="device"),
    path("questions/", steps.comprehension, name="comprehension"),
    path("practice/", steps.training, name="practice"),
    path("closing/", steps.closing, name="closing"),
    path("guidelines/", entry.guidelines, name="guidelines"),
    path("finish/", entry.finish, name="finish"),
    path("feedback/", entry.feedback, name="feedback"),
    path("leave/", entry.leave, name="leave"),
    path("next/", rating.following, name="next"),
    path("change/", rating.change_last, name="change_last"),
    path("<uuid:code>/draft/", rating.draft, name="draft"),
    path("<uuid:code>/active/", rating.active, name="active"),
    path("<uuid:code>/show/", rating.reveal, name="show"),
    path("<uuid:code>/skip/", rating.skip, name="skip"),
    path("<uuid:code>/change/", rating.change, name="change"),
    path("<uuid:code>/report/", rating.report, name="report"),
]
