"""Any number of clocks may run; one at a time does the work."""

from __future__ import annotations

import pytest
from django.db import connection

from accounts.management.commands.clock import Command
from tests.races.conftest import StartWorker
from tests.races.processes import leads_the_clock

pytestmark = pytest.mark.processes


def test_one_clock_leads_until_its_connection_ends(db: None, start_worker: StartWorker) -> None:
    clock = Command()
    assert clock.leads()
    assert clock.leads()
    assert start_worker(leads_the_clock).result() is False

    connection.connection.close()
    connection.close()

    assert start_worker(leads_the_clock).result() is True
