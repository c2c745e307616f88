"""Everything of a workspace in one ZIP: all of it, nothing of another's, and for nobody who may not."""

from __future__ import annotations

import csv
import io
import json
import os
from typing import Any
from zipfile import ZipFile

import pytest
from django.core import mail
from django.core.signing import TimestampSigner
from django.test import Client
from django.urls import reverse

from accounts import archiving
from accounts.archiving import NOT_ARCHIVED, archived_models, drop_old, is_secret, tenant_models, write_archive
from accounts.emails import send_notice
from accounts.models import Archive, ArchivePart, AuditEntry, Membership, Notice, Role, User, Workspace
from accounts.services import archives
from accounts.services.keys import issue_key
from contentopt import jobs
from contentopt.errors import RateLimited
from contentopt.jobs import JobState
from generation.models import Product
from tests.conftest import ApiClient, SignIn, member
from tests.factories import make_catalogue, make_file
from tests.tenant_rows import fill_tables, word_of

pytestmark = pytest.mark.django_db


def made(workspace: Workspace) -> Archive:
    archive = archives.request_archive(workspace=workspace)
    assert write_archive(archive.pk) == JobState.DONE
    archive.refresh_from_db()
    return archive


def opened(archive: Archive) -> ZipFile:
    content = b"".join(archiving.pieces_of(archive))
    assert len(content) == archive.size_bytes
    return ZipFile(io.BytesIO(content))


def link(archive: Archive, user: User) -> str:
    return archives.link_of(Archive.objects.in_workspace(archive.workspace_id).get(pk=archive.pk), user)


# --- What is in it ----------------------------------------------------------------------------------------------------


def test_it_holds_a_row_of_each_table_and_none_of_another_workspace(shop: Workspace, other_shop: Workspace) -> None:
    rows = fill_tables(shop)
    fill_tables(other_shop)

    with opened(made(shop)) as archive:
        names = set(archive.namelist())
        for model in archived_models():
            name = f"{model._meta.app_label}_{model._meta.model_name}"
            lines = [json.loads(line) for line in archive.read(f"tables/{name}.jsonl").splitlines()]
            table = list(csv.DictReader(io.StringIO(archive.read(f"tables/{name}.csv").decode())))
            assert str(rows[model].pk) in {str(line[model._meta.pk.attname]) for line in lines}, name
            assert len(table) == len(lines), name
        everything = b"".join(archive.read(name) for name in names).decode()

    assert word_of(shop) in everything
    assert word_of(other_shop) not in everything
    assert str(other_shop.pk) not in everything


def test_what_is_left_out_is_listed_with_a_reason() -> None:
    assert set(NOT_ARCHIVED) <= {model._meta.label for model in tenant_models()}
    assert all(NOT_ARCHIVED.values())


def test_secrets_and_their_hashes_are_never_in_it(shop: Workspace) -> None:
    key, secret = issue_key(workspace=shop, name="Script", scopes=["read"])
    make_catalogue(shop)

    with opened(made(shop)) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist()).decode()

    assert key.prefix in everything
    assert secret.partition(".")[2] not in everything
    assert key.secret_sha256 not in everything
    for model in archived_models():
        secrets = {field.name for field in model._meta.concrete_fields if is_secret(field)}
        assert not any(f'"{name}"' in everything for name in secrets), model


def test_files_come_out_as_they_went_in(shop: Workspace) -> None:
    content = make_file(['A-1,"Café, crème",oak,=1+1,'])
    catalogue = make_catalogue(shop, content, "../../etc/passwd.csv")

    with opened(made(shop)) as archive:
        (name,) = (name for name in archive.namelist() if name.startswith("files/"))
        assert archive.read(name) == content
    assert name == f"files/{catalogue.pk}-.._.._etc_passwd.csv"


def test_figures_of_any_size_come_out_exactly(shop: Workspace) -> None:
    Product.objects.in_workspace(shop).filter(catalogue=make_catalogue(shop)).update(product={"gtin": 10**30})

    with opened(made(shop)) as archive:
        lines = archive.read("tables/generation_product.jsonl").splitlines()

    assert {json.loads(line)["product"]["gtin"] for line in lines} == {10**30}


def test_no_cell_of_its_tables_is_run_by_a_spreadsheet(shop: Workspace) -> None:
    issue_key(workspace=shop, name="=cmd|'/C calc'!A0", scopes=["read"])

    with opened(made(shop)) as archive:
        (row,) = csv.DictReader(io.StringIO(archive.read("tables/accounts_apikey.csv").decode()))
        (line,) = archive.read("tables/accounts_apikey.jsonl").splitlines()

    assert row["name"] == "'=cmd|'/C calc'!A0"
    assert json.loads(line)["name"] == "=cmd|'/C calc'!A0"


def test_a_large_one_is_written_and_read_in_parts(shop: Workspace) -> None:
    rows = [f"A-{n},Mug,{os.urandom(50_000).hex()}" for n in range(40)]
    make_catalogue(shop, make_file(rows, "sku,name,notes\n"))
    archive = made(shop)

    parts = ArchivePart.objects.in_workspace(shop).filter(archive=archive).order_by("position")
    sizes = [len(part.content) for part in parts]
    assert len(sizes) > 2
    assert set(sizes[:-1]) == {archiving.PART_BYTES}
    with opened(archive) as opened_archive:
        assert opened_archive.testzip() is None


# --- The job ----------------------------------------------------------------------------------------------------------


def test_whoever_takes_over_begins_anew_and_the_ghost_writes_nothing(shop: Workspace) -> None:
    make_catalogue(shop)
    archive = archives.request_archive(workspace=shop)
    ghost = jobs.claim(Archive, archive.pk)
    assert ghost is not None
    ArchivePart.objects.create(workspace=shop, archive=ghost, position=0, content=b"half of it")
    Archive.objects.in_workspace(shop).update(lease_until="2020-01-01T00:00:00Z")

    assert write_archive(archive.pk) == JobState.DONE
    with pytest.raises(jobs.LostLease):
        archiving._write_claimed(ghost)
    archive.refresh_from_db()
    assert archive.attempt == 2


def test_one_is_made_at_a_time_and_three_a_day(shop: Workspace) -> None:
    first = archives.request_archive(workspace=shop)
    assert archives.request_archive(workspace=shop) == first
    write_archive(first.pk)
    made(shop)
    made(shop)

    with pytest.raises(RateLimited):
        archives.request_archive(workspace=shop)


def test_it_is_dropped_after_seven_days(shop: Workspace) -> None:
    archive = made(shop)
    assert drop_old() == 0

    Archive.objects.in_workspace(shop).update(expires_at="2020-01-01T00:00:00Z")
    assert drop_old() == 1
    assert not ArchivePart.objects.in_workspace(shop).filter(archive_id=archive.pk).exists()


def test_owners_and_admins_get_a_mail(shop: Workspace, alice: User, bob: User) -> None:
    made(shop)
    send_notice(Notice.objects.in_workspace(shop).get(kind="rights").pk)

    (message,) = mail.outbox
    assert message.to == [alice.email]
    assert reverse("archives", args=[shop.slug]) in message.body


# --- The link ---------------------------------------------------------------------------------------------------------


def test_the_page_shows_how_far_it_is_and_then_the_link(shop: Workspace, alice: User, sign_in: SignIn) -> None:
    client, page = sign_in(alice), reverse("archives", args=[shop.slug])
    client.post(page)
    archive = Archive.objects.in_workspace(shop).get()
    assert "Putting it together" in client.get(page, headers={"HX-Request": "true"}).content.decode()

    write_archive(archive.pk)
    ((_, address),) = client.get(page).context["archives"]
    response = client.get(address)

    assert ZipFile(io.BytesIO(b"".join(response))).testzip() is None
    assert response["Content-Disposition"].startswith("attachment;")
    entry = AuditEntry.objects.in_workspace(shop).get(action="download.archive")
    assert (entry.user_id, entry.target_id) == (alice.pk, str(archive.pk))


def test_a_link_that_is_over_opens_nothing(shop: Workspace, alice: User, sign_in: SignIn, settings: Any) -> None:
    address = link(made(shop), alice)
    settings.ARCHIVE_LINK_SECONDS = -1

    assert sign_in(alice).get(address).status_code == 403


def test_another_members_link_opens_nothing(shop: Workspace, alice: User, sign_in: SignIn) -> None:
    anna = member(shop, "anna@alder-goods.example", Role.ADMIN)
    address = link(made(shop), alice)

    assert sign_in(anna).get(address).status_code == 403
    assert Client().get(address).status_code == 302


@pytest.mark.parametrize(("becomes", "status"), [("removed", 404), (Role.VIEWER, 403)])
def test_who_is_no_admin_any_more_has_a_link_that_opens_nothing(
    shop: Workspace, sign_in: SignIn, becomes: str, status: int
) -> None:
    anna = member(shop, "anna@alder-goods.example", Role.ADMIN)
    client, address = sign_in(anna), link(made(shop), anna)
    rows = Membership.objects.in_workspace(shop).filter(user=anna)
    if becomes == "removed":
        rows.delete()
    else:
        rows.update(role=becomes)

    assert client.get(address).status_code == status


def test_a_link_opens_its_own_archive_alone(
    shop: Workspace, other_shop: Workspace, alice: User, sign_in: SignIn
) -> None:
    Membership.objects.create(workspace=other_shop, user=alice, role=Role.ADMIN)
    mine, other = made(shop), made(other_shop)
    token = link(mine, alice).split("/")[-2]
    forged = TimestampSigner(salt="accounts.archive", key="guessed").sign(f"{other.pk}.{alice.pk}")
    client = sign_in(alice)

    assert client.get(reverse("archive_download", args=[other_shop.slug, other.pk, token])).status_code == 403
    assert client.get(reverse("archive_download", args=[other_shop.slug, other.pk, forged])).status_code == 403
    assert client.get(reverse("archive_download", args=[other_shop.slug, mine.pk, token])).status_code == 404


# --- The API ----------------------------------------------------------------------------------------------------------


def test_the_api_makes_shows_and_sends_it(shop: Workspace, api: ApiClient) -> None:
    client = api(shop)
    accepted = client.post("/api/v1/archives", {}, content_type="application/json")
    assert accepted.status_code == 202
    url = accepted.json()["status_url"]
    assert client.get(f"{url}/file").status_code == 409

    write_archive(accepted.json()["id"])

    assert client.get(url).json()["state"] == "done"
    assert client.get("/api/v1/archives").json()["results"][0]["percent"] == 100
    assert ZipFile(io.BytesIO(b"".join(client.get(f"{url}/file")))).testzip() is None
