from __future__ import annotations

import os
import resource
from contextlib import suppress

from contentopt.front import Front
from contentopt.wsgi import application as django_application

# A connection is a file, and where streams are open the usual 1,024 are soon used up.
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
with suppress(ValueError, OSError):  # where the highest limit is no number, as on macOS
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

application = Front(django_application, threads=int(os.environ.get("WEB_THREADS", "8")))
