"""What `gunicorn campaign_site.wsgi` starts with; its command line overrules every value."""

import contextlib
import ctypes
import gc
import os

from gunicorn.glogging import Logger

from campaign_site import logs

# One heap for all threads, which run one at a time: with one each, as glibc has it, what a thread
# frees stays with it, 10 MB and more in each process.
M_ARENA_MAX = -8
with contextlib.suppress(AttributeError):  # Another C library than glibc.
    ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)

# One process with threads needs no shared cache; with WEB_CONCURRENCY above 1 set CACHE_URL too.
threads = 16
# Longer than the proxy keeps its connections (deploy/nginx.conf): else one ends under a request.
keepalive = 75
# Whoever is being answered when the process is restarted gets the answer.
graceful_timeout = 30
# A wrong setting ends the start with its one line, instead of workers that die one after the other.
preload_app = True
# The paths of confirm and withdraw pages carry mailed tokens: no access log.
accesslog = None


class WithoutAccessLog(Logger):
    """gunicorn's own makes an access line of each request where `logconfig_dict` is set, though no
    handler takes it: a fifth of the time of a page."""

    @property
    def access_log_enabled(self):
        return bool(self.cfg.accesslog)


logger_class = WithoutAccessLog
# No max_requests: a worker that ends itself while a delivery streams takes all others with it.

# Anything else is refused by the settings, with their one line.
FORMAT = "json" if os.environ.get("LOG_FORMAT") == "json" else "line"
# Its own log, through the site's filter: no network address of a visitor, no mailed token.
logconfig_dict = logs.configuration(FORMAT) | {
    "root": {"level": "INFO", "handlers": ["stderr"]},
    "loggers": {"gunicorn.error": {"level": "INFO", "handlers": ["stderr"], "propagate": False}},
}


def on_starting(server):
    from petition.web import metrics

    metrics.begin_anew()
    # What is loaded stays until the end: looking through it for garbage again and again takes time
    # from requests, and copies it into each worker.
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def pre_fork(server, worker):
    """Each worker keeps to one of the cores, where there are several of both. Its threads run one
    at a time: moved from core to core at each turn, they find their data in none of the caches,
    which took a quarter of the signatures a second."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    taken = [other.core for other in server.WORKERS.values()]
    several = len(cores) > 1 and server.num_workers > 1
    worker.core = min(cores, key=taken.count) if several else None


def post_fork(server, worker):
    if worker.core is not None:
        os.sched_setaffinity(0, {worker.core})


def child_exit(server, worker):
    from petition.web import metrics

    metrics.forget_dead(worker.pid)


def post_worker_init(worker):
    """In the worker, after the fork: a thread of the master would not come along."""
    from petition.web import warm

    warm.start(worker.wsgi)


# Nothing here is steered through a socket in somebody's home directory.
control_socket_disable = True
