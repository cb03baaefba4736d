"""Shows Prometheus what the site counts, on an address of its own."""

import signal

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from prometheus_client import start_http_server

from petition.web import metrics


class Command(BaseCommand):
    help = "Answers /metrics at METRICS_ADDRESS, until stopped."

    def handle(self, **options):
        host, port = settings.METRICS_ADDRESS
        try:
            server, thread = start_http_server(port, host, registry=metrics.registry())
        except OSError as error:
            raise CommandError(
                f"METRICS_ADDRESS cannot be used ({error.strerror}). Set it to a free host:port."
            ) from None
        signal.signal(signal.SIGTERM, lambda *_: server.shutdown())
        signal.signal(signal.SIGINT, lambda *_: server.shutdown())
        thread.join()
