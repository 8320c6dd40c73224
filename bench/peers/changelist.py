"""Our settings with Django admin's own ModelAdmin of packages at /admin/, as its tutorial writes it."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "bench.peers.changelist_urls"
