"""The default worker and beat: `celery -A webapp.celery worker -Q default,results`, `celery -A webapp.celery beat`."""

import os

from celery import Celery
from django.conf import settings

from annotation.schedule import beat_schedule
from inference_worker.schema import DEFAULT_QUEUE

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")

app = Celery("duologue")
app.conf.update(
    broker_url=settings.BROKER_URL,
    task_default_queue=DEFAULT_QUEUE,
    accept_content=["json"],
    task_serializer="json",
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_consumer="webapp.results_guard:GuardedConsumer",
    broker_connection_retry_on_startup=True,
    timezone="UTC",
    beat_schedule=beat_schedule(settings.GENERATION_LEASE_SECONDS),
)
if settings.BROKER_URL.startswith("redis"):
    # What a killed worker held comes back after five minutes: no task of ours takes nearly as long.
    app.conf.broker_transport_options = {
        "visibility_timeout": 300,
        "unacked_restore_interval": 2,
        "unacked_restore_throttle": 1,
        "connect_retries_timeout": 2,
    }
app.autodiscover_tasks(["annotation"])
