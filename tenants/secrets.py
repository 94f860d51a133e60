"""Secrets at rest: one encrypted JSON field, bound to its row, and keyed hashes.

Ciphertext stands in the database as `fingerprint:token`. The fingerprint names the key, since a
Fernet token names none. Inside stand the organization and the row's public id, so that ciphertext
which was moved to another row does not decrypt.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models.query_utils import DeferredAttribute
from django.utils.crypto import salted_hmac
from fernet_fields import EncryptedField, hkdf

FINGERPRINT_LENGTH = 12


class SecretsError(Exception):
    """Secrets were written or read in a way that would lose, leak or mix them."""


class Secrets(dict[str, str]):
    """Decrypted secrets. Shows its names, never its values."""

    def __repr__(self) -> str:
        return f"<secrets: {', '.join(sorted(self)) or 'none'}>"

    __str__ = __repr__


class Sealed:
    """Secrets on their way into or out of the database: ciphertext, and nothing else to see."""

    __slots__ = ("ciphertext",)

    def __init__(self, ciphertext: bytes) -> None:
        self.ciphertext = ciphertext

    def __repr__(self) -> str:
        return "<sealed>"


def keyed_hash(*parts: str) -> str:
    """A keyed hash that finds equal values without telling them: 64 hexadecimal characters."""
    return salted_hmac("tributary.keyed_hash", "\x00".join(parts), algorithm="sha256").hexdigest()


class Keyring:
    """The keys of FERNET_KEYS by their fingerprints; the first encrypts, all decrypt."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._by_fingerprint: dict[str, Fernet] = {}
        for key in keys:
            if not key:
                continue
            self._by_fingerprint[self.fingerprint(key)] = Fernet(hkdf.derive_fernet_key(key))
        if not self._by_fingerprint:
            raise ImproperlyConfigured("FERNET_KEYS must hold at least one key.")
        self.current = next(iter(self._by_fingerprint))

    @staticmethod
    def fingerprint(key: str) -> str:
        return hashlib.sha256(b"tributary.fernet:" + key.encode()).hexdigest()[:FINGERPRINT_LENGTH]

    @property
    def fingerprints(self) -> frozenset[str]:
        return frozenset(self._by_fingerprint)

    def encrypt(self, plain: bytes) -> bytes:
        return self.current.encode() + b":" + self._by_fingerprint[self.current].encrypt(plain)

    def decrypt(self, ciphertext: bytes) -> bytes:
        fingerprint, _, token = ciphertext.partition(b":")
        fernet = self._by_fingerprint.get(fingerprint.decode("ascii", "replace"))
        if fernet is None:
            raise SecretsError(
                f"FERNET_KEYS lacks the key {fingerprint.decode('ascii', 'replace')}, "
                "with which a secret was encrypted."
            )
        try:
            return fernet.decrypt(token)
        except InvalidToken:
            raise SecretsError("A stored secret is damaged and cannot be decrypted.") from None


def keyring() -> Keyring:
    """The keys as they are set now."""
    return Keyring(settings.FERNET_KEYS)


def fingerprint_of(value: Sealed) -> str:
    """The fingerprint of the key that encrypted this value."""
    return value.ciphertext.partition(b":")[0].decode("ascii", "replace")


class _SecretsAttribute(DeferredAttribute):
    """Decrypts on the first read, and checks that the ciphertext belongs to this row."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        value = super().__get__(instance, owner)
        if instance is None or not isinstance(value, Sealed):
            return value
        opened = _open(value, instance)
        instance.__dict__[self.field.attname] = opened
        return opened

    def __set__(self, instance: Any, value: Any) -> None:
        if isinstance(value, Mapping) and not isinstance(value, Secrets):
            value = Secrets(value)
        instance.__dict__[self.field.attname] = value


class SecretsField(EncryptedField):
    """A mapping of names to secrets, encrypted, bound to its organization and row.

    The model needs `organization` and `public_id`. Values are written by saving the row, or by
    `update(field=SecretsField.seal(row, {...}))`; expressions and plain values are refused.
    """

    descriptor_class = _SecretsAttribute

    if TYPE_CHECKING:  # what a row's attribute is, which the library's types cannot tell

        def __get__(self, instance: Any, owner: Any = None) -> Secrets | None: ...

        def __set__(self, instance: Any, value: Mapping[str, str] | None) -> None: ...

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("null", True)
        kwargs.setdefault("blank", True)
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)

    @staticmethod
    def seal(instance: Any, secrets: Mapping[str, str]) -> Sealed:
        """Encrypt secrets for this row."""
        body = {**_binding(instance), "secrets": dict(secrets)}
        return Sealed(keyring().encrypt(json.dumps(body).encode()))

    def pre_save(self, instance: models.Model, add: bool) -> Sealed | None:
        value = instance.__dict__.get(self.attname)
        if value is None or isinstance(value, Sealed):
            return value
        return self.seal(instance, value)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, Sealed):
            raise SecretsError(
                f"{self.name} is written by saving its row or with SecretsField.seal(), "
                "never by an expression or a plain value."
            )
        return connection.Database.Binary(value.ciphertext)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return self.get_db_prep_save(value, connection)

    def from_db_value(self, value: Any, expression: Any, connection: Any, *args: Any) -> Any:
        return None if value is None else Sealed(bytes(value))

    def to_python(self, value: Any) -> Any:
        return value

    def value_from_object(self, obj: models.Model) -> None:
        """Serializers, `dumpdata` and model forms get nothing."""
        return

    def value_to_string(self, obj: models.Model) -> None:
        return None


def _binding(instance: Any) -> dict[str, Any]:
    if instance.organization_id is None or not instance.public_id:
        raise SecretsError("A row needs its organization and public id before it keeps secrets.")
    return {"organization": instance.organization_id, "row": str(instance.public_id)}


def _open(value: Sealed, instance: Any) -> Secrets:
    body = json.loads(keyring().decrypt(value.ciphertext))
    binding = _binding(instance)
    same_row = hmac.compare_digest(str(body.get("row")), binding["row"])
    if not same_row or body.get("organization") != binding["organization"]:
        raise SecretsError("A stored secret does not belong to the row that holds it.")
    return Secrets(body["secrets"])
