"""Each trap of keeping secrets: what would lose, leak or mix them."""

import io
import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection, transaction
from django.db.models import F, Value
from pytest_django.fixtures import Settings

from connections.models import Credential
from tenants.checks import missing_keys, require_keys
from tenants.models import User
from tenants.secrets import Keyring, Sealed, Secrets, SecretsError, SecretsField, fingerprint_of
from tests.factories import CredentialFactory

pytestmark = pytest.mark.django_db
SECRET = "ATCTT-very-secret-" + "x" * 3000  # tokens exceed any column of 255


@pytest.fixture
def credential() -> Credential:
    made = CredentialFactory.create(secrets={"api_token": SECRET, "odd": "it's “ä”\n{'a': 1}"})
    return Credential.objects.get(pk=made.pk)


def stored(credential: Credential) -> bytes:
    with connection.cursor() as cursor:
        table = Credential._meta.db_table
        cursor.execute(f"SELECT secrets FROM {table} WHERE id = %s", [credential.pk])
        return bytes(cursor.fetchone()[0])


def test_a_mapping_comes_back_as_it_was(credential: Credential) -> None:
    assert credential.secrets == {"api_token": SECRET, "odd": "it's “ä”\n{'a': 1}"}


def test_the_database_holds_fingerprint_and_token(credential: Credential) -> None:
    raw = stored(credential)

    assert SECRET.encode() not in raw
    assert raw.startswith(Keyring.fingerprint("tests-only-fernet-key").encode() + b":gAAAA")


def test_nothing_shows_a_secret(credential: Credential) -> None:
    shown = f"{credential.secrets!r} {credential.secrets} {credential!r} {vars(credential)}"

    assert SECRET not in shown
    assert "api_token" in repr(credential.secrets)


def test_a_secret_stays_through_other_changes(credential: Credential) -> None:
    credential.label = "renamed"
    credential.save()

    credential.refresh_from_db()
    assert credential.secrets["api_token"] == SECRET


def test_expressions_and_plain_values_are_refused(credential: Credential) -> None:
    rows = Credential.objects.filter(pk=credential.pk)
    tries: list[Any] = [F("label"), Value("x"), {"api_token": "x"}, "x"]

    for value in tries:
        with pytest.raises(SecretsError), transaction.atomic():
            rows.update(secrets=value)
    with pytest.raises(SecretsError), transaction.atomic():
        Credential.objects.bulk_update([credential], ["secrets"])

    credential.refresh_from_db()
    assert credential.secrets["api_token"] == SECRET


def test_update_takes_what_was_sealed_for_the_row(credential: Credential) -> None:
    sealed = SecretsField.seal(credential, {"api_token": "new"})

    Credential.objects.filter(pk=credential.pk).update(secrets=sealed)

    credential.refresh_from_db()
    assert credential.secrets == {"api_token": "new"}
    assert "new" not in repr(sealed)


def test_dumpdata_prints_null(credential: Credential) -> None:
    out = io.StringIO()

    call_command("dumpdata", "connections.credential", stdout=out)

    assert json.loads(out.getvalue())[0]["fields"]["secrets"] is None
    assert SECRET not in out.getvalue()


@pytest.mark.parametrize("same_organization", [True, False])
def test_ciphertext_that_was_moved_does_not_decrypt(
    credential: Credential, same_organization: bool
) -> None:
    parent = {"connection": credential.connection} if same_organization else {}
    other = CredentialFactory.create(**parent)
    raw = Sealed(stored(credential))
    Credential.objects.filter(pk=other.pk).update(secrets=raw)

    with pytest.raises(SecretsError, match="does not belong"):
        _ = Credential.objects.get(pk=other.pk).secrets


def test_a_damaged_secret_says_so(credential: Credential) -> None:
    Credential.objects.filter(pk=credential.pk).update(secrets=Sealed(stored(credential)[:-9]))

    with pytest.raises(SecretsError, match="damaged"):
        _ = Credential.objects.get(pk=credential.pk).secrets


def test_a_row_without_public_id_keeps_no_secret(credential: Credential) -> None:
    with pytest.raises(SecretsError):
        SecretsField.seal(Credential(), {"api_token": "x"})


def test_keys_rotate_and_the_fingerprint_tells_which_rows_wait(
    credential: Credential, settings: Settings
) -> None:
    settings.FERNET_KEYS = ["new-key", "tests-only-fernet-key"]
    waiting = Credential.objects.get(pk=credential.pk)
    assert isinstance(vars(waiting)["secrets"], Sealed)
    assert fingerprint_of(vars(waiting)["secrets"]) == Keyring.fingerprint("tests-only-fernet-key")

    assert waiting.secrets["api_token"] == SECRET
    waiting.save()

    assert stored(credential).startswith(Keyring.fingerprint("new-key").encode())
    settings.FERNET_KEYS = ["new-key"]
    assert Credential.objects.get(pk=credential.pk).secrets["api_token"] == SECRET


def test_a_missing_key_is_named(credential: Credential, settings: Settings) -> None:
    require_keys()
    settings.FERNET_KEYS = ["another"]
    needed = Keyring.fingerprint("tests-only-fernet-key")

    assert missing_keys() == [needed]
    with pytest.raises(ImproperlyConfigured, match=needed):
        require_keys()
    with pytest.raises(SystemCheckError, match=needed):
        call_command("check", databases=["default"])
    with pytest.raises(SecretsError, match=needed):
        _ = Credential.objects.get(pk=credential.pk).secrets


def test_no_key_at_all_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured):
        Keyring([""])


def test_the_seed_of_a_second_factor_is_encrypted(owner: User, settings: Settings) -> None:
    TOTP.activate(owner, "JBSWY3DPEHPK3PXP")

    kept = json.dumps(Authenticator.objects.get().data)

    assert "JBSWY3DPEHPK3PXP" not in kept
    settings.FERNET_KEYS = ["another"]
    assert missing_keys() == [Keyring.fingerprint("tests-only-fernet-key")]


def test_reading_makes_a_mapping_that_hides_itself(credential: Credential) -> None:
    assert isinstance(credential.secrets, Secrets)
    credential.secrets = {"api_token": "plain"}
    assert "plain" not in repr(credential.secrets)
