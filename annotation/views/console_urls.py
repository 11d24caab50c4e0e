"""Addresses of the researchers' pages of a study."""

from django.urls import path

from annotation.views import (
    downloads,
    invitations,
    monitor,
    people,
    planning,
    preview,
    preview_steps,
    privacy,
    results,
    steering,
)

urlpatterns = [
    path("inventory/", privacy.inventory, name="inventory"),
    path("<uuid:code>/results/", results.results, name="results"),
    path("<uuid:code>/figures/<slug:key>.svg", results.figure, {"ending": "svg"}, name="figure-svg"),
    path("<uuid:code>/figures/<slug:key>.csv", results.figure, {"ending": "csv"}, name="figure-csv"),
    path("<uuid:code>/annotators/", people.table, name="annotators"),
    path("<uuid:code>/annotators/table.csv", people.table_csv, name="annotators-csv"),
    path("<uuid:code>/annotators/<int:pk>/", people.person, name="annotator-judgements"),
    path("<uuid:code>/annotators/<int:pk>/exclude/", people.exclude, name="annotator-exclude"),
    path("<uuid:code>/annotators/<int:pk>/include/", people.include, name="annotator-include"),
    path("<uuid:code>/ledger/", people.ledger, name="ledger"),
    path("<uuid:code>/power/", planning.power, name="power"),
    path("<uuid:code>/power/store/", planning.store_power, name="store_power"),
    path("<uuid:code>/monitor/", monitor.monitor, name="monitor"),
    path("<uuid:code>/steer/", steering.steer, name="steer"),
    path("<uuid:code>/decisions/", steering.decisions, name="decisions"),
    path("<uuid:code>/decisions/decide/", steering.decide, name="decide"),
    path("<uuid:code>/decisions/approve/", steering.approve_all, name="approve_all"),
    path("<uuid:code>/decisions/decisions.csv", steering.decisions_file, name="decisions_file"),
    path("<uuid:code>/decisions/platform/<slug:kind>/", steering.pay_list, name="pay_list"),
    path("<uuid:code>/preview/", preview.preview, name="preview"),
    path("<uuid:code>/invitations/", invitations.invite, name="invitations"),
    path("<uuid:code>/invitations/list.csv", invitations.send_list, name="invitation-list"),
    path("<uuid:code>/invitations/<int:number>/revoke/", invitations.revoke, name="invitation-revoke"),
    path("<uuid:code>/preview/<slug:step>/", preview_steps.preview_step, name="preview_step"),
    path("<uuid:code>/bundle/", downloads.bundle, name="bundle"),
    path("<uuid:code>/exports/<str:name>", downloads.download, name="export"),
]
