"""The WSGI application: `gunicorn config.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application
from django.db import connections

from config.bodies import whole_bodies
from config.start import or_exit, require_keys_or_exit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

with or_exit():
    application = whole_bodies(get_wsgi_application())
require_keys_or_exit()
connections.close_all()  # whoever forks now shares none
