"""An approval and an edit at the same moment: the edit wins, or the approval names the version that was read."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from accounts.models import Workspace
from generation.models import Text
from generation.services.reviewing import submit_text
from generation.services.texts import edit_text
from tests.factories import first_product, make_catalogue
from tests.races.conftest import StartWorker
from tests.races.processes import approve
from tests.races.product import eventually

pytestmark = pytest.mark.processes


@pytest.fixture
def text(shop: Workspace) -> Text:
    product = first_product(make_catalogue(shop))
    return edit_text(product=product, fields={"description": "Words that were read."}, editor=None)


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


@pytest.mark.parametrize("is_in_review", [False, True])
def test_approval_that_comes_while_an_edit_is_being_saved_approves_no_unread_word(
    text: Text, start_worker: StartWorker, is_in_review: bool
) -> None:
    assert text.product is not None
    read = text.words_digest
    if is_in_review:
        submit_text(text, by=None)

    with transaction.atomic():
        edit_text(product=text.product, fields={"description": "Words that nobody read."}, editor=None)
        rival = start_worker(approve, text.pk, read)
        assert eventually(somebody_waits)

    assert rival.result() == "conflict"
    assert not Text.objects.in_workspace(text.workspace_id).filter(state="approved").exists()
    text.product.refresh_from_db()
    assert text.product.text is not None
    assert (text.product.text.description, text.product.text.state) == ("Words that nobody read.", "draft")


def test_edit_that_comes_after_an_approval_is_a_draft_beside_the_approved_words(
    text: Text, start_worker: StartWorker
) -> None:
    assert text.product is not None
    assert start_worker(approve, text.pk, text.words_digest).result() == "approved"

    edited = edit_text(product=text.product, fields={"description": "Newer words."}, editor=None)

    states = Text.objects.in_workspace(text.workspace_id).order_by("version").values_list("description", "state")
    assert list(states) == [("Words that were read.", "approved"), ("Newer words.", "draft")]
    assert edited.version == 2
