"""The cast: alice owns a shop, bob edits and vera views in it, charlie is a stranger with a shop of his own."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django_redis import get_redis_connection
from pytest_socket import socket_allow_hosts
from redis.connection import Connection

from accounts.models import Membership, Role, Scope, User, Workspace
from accounts.services.keys import issue_key
from accounts.services.workspaces import create_workspace
from accounts.throttling import steps_at
from contentopt.tenancy import across_workspaces
from generation.health.breakers import known, local_circuits
from tests.races.product import Product, eventually, run_product
from tests.servers import Provider, run_provider


def pytest_configure() -> None:
    """A shell has Ctrl-C ignored in what it starts in the background, and children inherit that: what a test starts
    and stops would not stop."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that empties the tables and does not put back what migrations wrote fails whichever test comes next."""
    for item in items:
        mark = item.get_closest_marker("django_db")
        if mark and mark.kwargs.get("transaction") and not mark.kwargs.get("serialized_rollback"):
            raise pytest.UsageError(f"{item.nodeid} needs serialized_rollback=True beside transaction=True")


def pytest_runtest_setup() -> None:
    """No network but loopback: a test that would reach a vendor fails instead."""
    socket_allow_hosts(["127.0.0.1", "localhost", "::1"], allow_unix_socket=True)


@pytest.fixture(autouse=True)
def _across_workspaces() -> Iterator[None]:
    """A test arranges and looks at rows of several workspaces. Requests and tasks begin outside of all, as ever."""
    with across_workspaces():
        yield


@pytest.fixture(autouse=True)
def _fresh_cache(request: pytest.FixtureRequest) -> Iterator[None]:
    """Counters and cached texts of one test are not another's; only for tests that have a database."""
    yield
    if request.node.get_closest_marker("django_db") or {"db", "transactional_db"} & set(request.fixturenames):
        cache.delete_pattern("*")  # type: ignore[attr-defined]
        steps_at.cache_clear()
        known.forget()
        local_circuits.forget()


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice@alder-goods.example", "a long pass phrase")


@pytest.fixture
def shop(alice: User) -> Workspace:
    return create_workspace(owner=alice, name="Alder Goods", plan="internal")


def member(shop: Workspace, email: str, role: Role) -> User:
    user = User.objects.create_user(email, "a long pass phrase")
    Membership.objects.create(workspace=shop, user=user, role=role)
    return user


@pytest.fixture
def bob(shop: Workspace) -> User:
    return member(shop, "bob@alder-goods.example", Role.EDITOR)


@pytest.fixture
def vera(shop: Workspace) -> User:
    return member(shop, "vera@alder-goods.example", Role.VIEWER)


@pytest.fixture
def charlie(db: None) -> User:
    return User.objects.create_user("charlie@elsewhere.example", "a long pass phrase")


@pytest.fixture
def other_shop(charlie: User) -> Workspace:
    return create_workspace(owner=charlie, name="Elsewhere", plan="internal")


SignIn = Callable[[User], Client]


@pytest.fixture
def sign_in() -> SignIn:
    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
        return client

    return signed_in


@pytest.fixture
def staff(db: None, sign_in: SignIn) -> Client:
    return sign_in(User.objects.create_superuser("staff@contentopt.example", "a long pass phrase"))


def say_why(staff: Client, workspace: Workspace) -> None:
    """A row of a shop's opens in the admin once staff have said why."""
    staff.post(reverse("staff_open", args=[workspace.pk]), {"reason": "Ticket 4711"})


ApiClient = Callable[..., Client]


@pytest.fixture
def api() -> ApiClient:
    """A client that presents a fresh key of the workspace."""

    def with_key(workspace: Workspace, scopes: list[str] | None = None) -> Client:
        _, secret = issue_key(workspace=workspace, name="Tests", scopes=scopes or list(Scope.values))
        return Client(headers={"Authorization": f"Bearer {secret}"})

    return with_key


class Counted(Connection):
    """Round trips to Valkey."""

    trips = 0

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        Counted.trips += 1
        super().send_packed_command(command, check_health)  # type: ignore[no-untyped-call]


@pytest.fixture
def counted(settings: Any) -> Iterator[type[Counted]]:
    options = {**settings.CACHES["default"]["OPTIONS"], "CONNECTION_POOL_KWARGS": {"connection_class": Counted}}
    location = settings.CACHES["default"]["LOCATION"] + "?client_name=counted"  # pools are kept by address
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": location, "OPTIONS": options}}
    yield Counted
    get_redis_connection("default").connection_pool.disconnect()


@pytest.fixture(scope="session")
def provider_process() -> Iterator[Provider]:
    with run_provider() as provider:
        yield provider


@pytest.fixture
def provider(provider_process: Provider) -> Provider:
    """A model provider on loopback that has forgotten everything."""
    provider_process.reset()
    return provider_process


@pytest.fixture(scope="session")
def running_product(provider_process: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with run_product(tmp_path_factory.mktemp("product"), provider_process) as product:
        yield product


@pytest.fixture
def product(running_product: Product, provider_process: Provider) -> Product:
    """The whole product under its supervisor, started once a test process, for races and browser alike. An earlier
    test's calls are over, and what processes it killed had asked for is on the books: none of it is met here."""
    eventually(lambda: not running_product.open_holds(), 5)
    running_product.settle_open_holds()
    provider_process.reset()
    return running_product
