from __future__ import annotations

import os

from contentopt.front import Front
from contentopt.wsgi import application as django_application

application = Front(django_application, threads=int(os.environ.get("WEB_THREADS", "8")))
