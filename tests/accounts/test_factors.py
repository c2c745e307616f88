"""Second factors: set up, asked for, not to be got around; sessions that can be seen and ended."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import User, Workspace
from contentopt.caches import SteadyCache
from contentopt.engines.engine import free_port
from tests.conftest import SignIn

PASSWORD = "a long pass phrase"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code_of(secret: str = SECRET) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


def log_in(client: Client, user: User, password: str = PASSWORD) -> str:
    """Where the sign-in form leads."""
    response = client.post(reverse("account_login"), {"login": user.email, "password": password})
    return response.headers.get("Location", "")


def is_in(client: Client) -> bool:
    return client.get(reverse("account_email")).status_code == 200


def reauthenticate(client: Client) -> None:
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})


@pytest.fixture
def guarded(alice: User) -> User:
    """Alice with an authenticator app."""
    TOTP.activate(alice, SECRET)
    return alice


@pytest.mark.django_db
def test_an_app_is_set_up_with_its_code_and_gives_recovery_codes(alice: User, sign_in: SignIn) -> None:
    client = sign_in(alice)
    page = client.get(reverse("mfa_activate_totp"))
    assert page.headers["Location"].startswith(reverse("account_reauthenticate"))

    reauthenticate(client)
    secret = client.get(reverse("mfa_activate_totp")).context["form"].secret
    wrong = client.post(reverse("mfa_activate_totp"), {"code": "000000"})
    assert "Incorrect code" in wrong.content.decode()
    done = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)}, follow=True)

    assert len(re.findall(r"^\d{8}$|>\d{8}$", done.content.decode(), re.MULTILINE)) == 10
    assert {row.type for row in Authenticator.objects.filter(user=alice)} == {"totp", "recovery_codes"}


@pytest.mark.django_db
def test_secrets_of_factors_are_not_in_the_database_in_the_clear(guarded: User) -> None:
    kept = Authenticator.objects.get(user=guarded)
    assert SECRET not in str(kept.data)
    assert kept.wrap().validate_code(code_of())


@pytest.mark.django_db
def test_the_password_alone_does_not_let_in_who_has_a_factor(guarded: User) -> None:
    client = Client()
    assert log_in(client, guarded) == reverse("mfa_authenticate")
    assert not is_in(client)

    client.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert not is_in(client)
    client.post(reverse("mfa_authenticate"), {"code": code_of()})
    assert is_in(client)


@pytest.mark.django_db
def test_a_code_is_good_once(guarded: User) -> None:
    first, second = Client(), Client()
    code = code_of()
    for client in (first, second):
        log_in(client, guarded)
        client.post(reverse("mfa_authenticate"), {"code": code})
    assert (is_in(first), is_in(second)) == (True, False)


@pytest.mark.django_db
def test_guessing_codes_is_slowed_down_for_the_account_whoever_guesses(guarded: User) -> None:
    for _ in range(10):
        client = Client()
        log_in(client, guarded)
        client.post(reverse("mfa_authenticate"), {"code": "000000"})
    log_in(client, guarded)
    client.post(reverse("mfa_authenticate"), {"code": code_of()})
    assert not is_in(client)


@pytest.mark.django_db
def test_a_wrong_code_after_the_right_password_is_told_by_mail_once_an_hour(guarded: User) -> None:
    for _ in range(3):
        client = Client()
        log_in(client, guarded)
        client.post(reverse("mfa_authenticate"), {"code": "000000"})
    (message,) = mail.outbox
    assert (message.subject, message.to) == ("Somebody has your ContentOpt password", [guarded.email])


@pytest.mark.django_db
def test_a_reset_password_does_not_do_without_the_factor(guarded: User) -> None:
    client = Client()
    client.post(reverse("account_reset_password"), {"email": guarded.email})
    link = re.search(r"/accounts/password/reset/key/\S+", str(mail.outbox[-1].body))
    assert link
    form = client.get(link[0], follow=True)
    new = "another long pass phrase"
    client.post(form.redirect_chain[-1][0], {"password1": new, "password2": new})

    assert not is_in(client)
    assert log_in(client, guarded, new) == reverse("mfa_authenticate")
    assert not is_in(client)


@pytest.mark.django_db
def test_factors_cannot_be_changed_without_proving_oneself_again(guarded: User, sign_in: SignIn) -> None:
    client = sign_in(guarded)
    for name in ("mfa_deactivate_totp", "mfa_add_webauthn", "mfa_generate_recovery_codes"):
        response = client.post(reverse(name), {})
        assert "/reauthenticate/" in response.headers["Location"], name
    assert Authenticator.objects.filter(user=guarded, type="totp").exists()


@pytest.mark.django_db
def test_an_address_cannot_be_added_without_proving_oneself_again(alice: User, sign_in: SignIn) -> None:
    response = sign_in(alice).post(reverse("account_email"), {"action_add": "", "email": "thief@elsewhere.example"})
    assert "/reauthenticate/" in response.headers["Location"]
    assert not EmailAddress.objects.filter(email="thief@elsewhere.example").exists()


@pytest.mark.django_db
def test_who_has_not_confirmed_the_address_cannot_lock_its_owner_out_with_a_factor() -> None:
    client = Client()
    client.post(reverse("account_signup"), {"email": "mia@alder-goods.example", "password1": PASSWORD})
    page = client.get(reverse("mfa_activate_totp"), follow=True)
    assert "verified your email" in page.content.decode()
    assert not Authenticator.objects.exists()


@pytest.mark.django_db
def test_a_removed_factor_is_told_by_mail(guarded: User) -> None:
    client = Client()
    log_in(client, guarded)
    client.post(reverse("mfa_authenticate"), {"code": code_of()})
    reauthenticate(client)
    mail.outbox.clear()
    client.post(reverse("mfa_deactivate_totp"))
    assert [message.subject for message in mail.outbox] == [
        "The authenticator app of your ContentOpt account was removed"
    ]


@pytest.mark.django_db
def test_a_failed_sign_in_is_logged_with_where_from_and_nothing_that_was_typed(
    alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    log_in(Client(REMOTE_ADDR="198.51.100.7"), alice, "not the pass phrase")
    (line,) = [record.msg for record in caplog.records if record.name == "accounts.adapters"]
    assert isinstance(line, dict)
    assert (line["event"], line["address"]) == ("sign_in_failed", "198.51.100.7")
    assert alice.email not in str(line)
    assert "not the pass phrase" not in str(line)


@pytest.fixture
def without_valkey(settings: Any) -> Iterator[None]:
    address = f"redis://127.0.0.1:{free_port()}/0"
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": address}}
    yield
    SteadyCache.local.clear()


@pytest.mark.django_db
def test_without_valkey_people_sign_in_with_a_code_that_is_good_once(guarded: User, without_valkey: None) -> None:
    code = code_of()
    answers = []
    for _ in range(2):
        client = Client()
        log_in(client, guarded)
        client.post(reverse("mfa_authenticate"), {"code": code})
        answers.append(is_in(client))
    assert answers == [True, False]


@pytest.mark.django_db
def test_without_valkey_guessing_stays_slowed_down(alice: User, without_valkey: None) -> None:
    client = Client()
    for _ in range(10):
        log_in(client, alice, "not the pass phrase")
    log_in(client, alice)
    assert not is_in(client)


# --- Sessions ---------------------------------------------------------------------------------------------------------

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/19.0 Mobile/15E148 Safari/604.1"
)


@pytest.fixture
def desk(alice: User) -> Client:
    client = Client(headers={"User-Agent": FIREFOX})
    log_in(client, alice)
    return client


@pytest.fixture
def phone(alice: User, desk: Client) -> Client:
    client = Client(headers={"User-Agent": PHONE}, REMOTE_ADDR="198.51.100.7")
    log_in(client, alice)
    return client


@pytest.mark.django_db
def test_sessions_are_listed_by_what_they_are(desk: Client, phone: Client) -> None:
    page = desk.get(reverse("usersessions_list")).content.decode()
    assert "Firefox on Linux" in page
    assert "Safari on iPhone" in page
    assert "198.51.100.7" in page


@pytest.mark.django_db
def test_a_session_that_is_ended_is_out_at_once_and_the_other_goes_on(desk: Client, phone: Client) -> None:
    theirs = UserSession.objects.get(ip="198.51.100.7")
    desk.post(reverse("usersessions_end", args=[theirs.pk]))
    assert (is_in(desk), is_in(phone)) == (True, False)


@pytest.mark.django_db
def test_nobody_ends_a_session_of_somebody_else(desk: Client, charlie: User, sign_in: SignIn) -> None:
    hers = UserSession.objects.get()
    assert sign_in(charlie).post(reverse("usersessions_end", args=[hers.pk])).status_code == 404
    assert is_in(desk)


@pytest.mark.django_db
def test_all_others_can_be_ended_and_that_is_offered_where_factors_change(desk: Client, phone: Client) -> None:
    assert "Sign out everywhere else" in desk.get(reverse("mfa_index")).content.decode()
    desk.post(reverse("usersessions_list"))
    assert (is_in(desk), is_in(phone)) == (True, False)
    assert "Sign out everywhere else" not in desk.get(reverse("mfa_index")).content.decode()


@pytest.mark.django_db
def test_a_new_password_ends_all_other_sessions(desk: Client, phone: Client) -> None:
    new = "another long pass phrase"
    desk.post(reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert (is_in(desk), is_in(phone)) == (True, False)


@pytest.mark.django_db
def test_signing_in_makes_a_new_session(alice: User) -> None:
    client = Client()
    client.get(reverse("account_login"))
    session = client.session
    session["before"] = True
    session.save()
    before = session.session_key
    log_in(client, alice)
    assert client.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()


@pytest.mark.django_db
def test_a_sign_in_from_something_new_is_told_by_mail_and_the_first_of_all_is_not(alice: User, desk: Client) -> None:
    assert mail.outbox == []
    log_in(Client(headers={"User-Agent": FIREFOX.replace("140", "141")}), alice)
    assert mail.outbox == []

    log_in(Client(headers={"User-Agent": PHONE}, REMOTE_ADDR="198.51.100.7"), alice)

    (message,) = mail.outbox
    assert (message.subject, message.to) == ("A new sign-in to your ContentOpt account", [alice.email])
    for words in ("Safari on iPhone", "198.51.100.7", reverse("usersessions_list")):
        assert words in str(message.body)


@pytest.mark.django_db
def test_a_mail_server_that_is_down_keeps_nobody_out(alice: User, desk: Client, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    client = Client(headers={"User-Agent": PHONE})
    log_in(client, alice)
    assert is_in(client)


# --- Staff ------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_staff_pages_lead_to_a_second_factor_first(staff: Client, settings: Any) -> None:
    settings.STAFF_NEED_SECOND_FACTOR = True
    for name in ("admin:index", "staff_money", "admin:accounts_workspace_changelist"):
        assert staff.get(reverse(name)).headers["Location"] == reverse("mfa_index")

    TOTP.activate(User.objects.get(is_staff=True), SECRET)

    page = staff.get(reverse("admin:index"))
    assert page.status_code == 200
    assert "with a password alone" not in page.content.decode()


@pytest.mark.django_db
def test_where_staff_need_no_factor_their_first_page_says_so(staff: Client, settings: Any) -> None:
    settings.STAFF_NEED_SECOND_FACTOR = False
    assert "with a password alone" in staff.get(reverse("admin:index")).content.decode()


@pytest.mark.django_db
def test_recovery_codes_alone_are_no_second_factor_for_staff(staff: Client, settings: Any) -> None:
    settings.STAFF_NEED_SECOND_FACTOR = True
    Authenticator.objects.create(user=User.objects.get(is_staff=True), type="recovery_codes", data={})
    assert staff.get(reverse("admin:index")).status_code == 302


@pytest.mark.django_db
def test_the_admins_own_form_lets_nobody_in_with_a_password_alone() -> None:
    staff = User.objects.create_superuser("staff@contentopt.example", PASSWORD)
    TOTP.activate(staff, SECRET)
    client = Client()
    response = client.post("/staff/login/", {"username": staff.email, "password": PASSWORD})
    assert response.headers["Location"].startswith(reverse("account_login"))
    assert client.get("/staff/").status_code == 302


@pytest.mark.django_db
def test_a_shops_owner_needs_no_factor(shop: Workspace, alice: User, sign_in: SignIn, settings: Any) -> None:
    settings.STAFF_NEED_SECOND_FACTOR = True
    assert sign_in(alice).get(reverse("workspace_home", args=[shop.slug])).status_code == 200


@pytest.mark.django_db
def test_staff_see_that_there_is_a_factor_remove_a_lost_one_and_its_owner_is_told(
    staff: Client, alice: User, charlie: User
) -> None:
    for user in (alice, charlie):
        TOTP.activate(user, SECRET)
        RecoveryCodes.activate(user)
    lost = Authenticator.objects.get(user=alice, type="totp")
    page = staff.get(reverse("admin:mfa_authenticator_change", args=[lost.pk])).content.decode()
    assert "totp" in page.lower()
    assert lost.data["secret"] not in page

    staff.post(reverse("admin:mfa_authenticator_delete", args=[lost.pk]), {"post": "yes"})

    assert not Authenticator.objects.filter(user=alice).exists()
    assert Authenticator.objects.filter(user=charlie).count() == 2
    (message,) = mail.outbox
    assert message.to == [alice.email]


@pytest.mark.django_db
def test_staff_end_a_session_and_never_see_its_key(staff: Client, desk: Client) -> None:
    theirs = UserSession.objects.get(user__email="alice@alder-goods.example")
    page = staff.get(reverse("admin:usersessions_usersession_change", args=[theirs.pk])).content.decode()
    assert "Firefox on Linux" in page
    assert theirs.session_key not in page

    staff.post(reverse("admin:usersessions_usersession_delete", args=[theirs.pk]), {"post": "yes"})

    assert not is_in(desk)
