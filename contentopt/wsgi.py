from __future__ import annotations

import os
import threading
from importlib import import_module

from django.core.wsgi import get_wsgi_application

from contentopt.database.wall import refuse_to_start

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contentopt.settings")

application = get_wsgi_application()
refuse_to_start()

# Beside serving, not before it: only the first texts would wait for what this loads.
threading.Thread(target=import_module("generation.engine.warming").warm_up, daemon=True).start()
