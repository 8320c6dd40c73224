"""Secrets at rest: under Fernet keys only, rotated without a pause, an error under a wrong key."""

from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection

from merchants import rotation
from merchants.credentials import save_credential
from merchants.fields import EncryptedText, SecretUnreadable
from merchants.models import Channel, Credential, Errand, Platform, PushedEvent
from merchants.services import add_merchant
from tests.database import everything
from tests.faults.test_leaks import database

pytestmark = pytest.mark.django_db(transaction=True)
CANARY = "CANARY-{}-0123456789abcdefghij"
SECRETS = {
    Credential: ("app_secret", "access_token", "refresh_token", "push_token", "aes_key"),
    Platform: ("app_secret", "push_token", "aes_key", "verify_ticket", "access_token"),
    PushedEvent: ("body",),
    Errand: ("given", "result"),
    Channel: ("webhook", "sign_secret"),
}


def canaries() -> set[str]:
    return {CANARY.format(f"{model.__name__}.{name}") for model in SECRETS for name in SECRETS[model]}


def plant() -> None:
    """A canary in every encrypted column there is."""
    merchant = add_merchant(appid="wx-canary", name="店", secret="x")
    for model, names in SECRETS.items():
        own = {name: CANARY.format(f"{model.__name__}.{name}") for name in names}
        if model is Credential:
            Credential.objects.filter(merchant=merchant).update(**own)
        elif model is PushedEvent:
            PushedEvent.objects.create(source="wx", name="n", create_time=1, body_hash="h", **own)
        else:
            model.objects.create(pk=1, **own)


def stored(model: Any, name: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {name} FROM {model._meta.db_table}")  # noqa: S608
        return [row[0] for row in cursor.fetchall()]


def found() -> set[str]:
    return {
        getattr(row, name)
        for model, names in SECRETS.items()
        for row in model.objects.all()
        for name in names
    }


def test_the_list_above_names_every_encrypted_column() -> None:
    known = {
        model: tuple(field.name for field in model._meta.local_fields if isinstance(field, EncryptedText))
        for model in apps.get_models()
    }
    assert {model: set(names) for model, names in known.items() if names} == {
        model: set(names) for model, names in SECRETS.items()
    }


def test_a_dump_of_the_database_holds_no_canary() -> None:
    plant()
    assert found() == canaries()
    raw = database()
    dump = everything()
    assert "fernet1:" in dump
    for canary in canaries():
        assert canary.encode() not in raw
        assert canary not in dump


def test_an_export_holds_no_canary_and_can_be_loaded_again(tmp_path: Any) -> None:
    plant()
    out = StringIO()
    call_command("dumpdata", "merchants", stdout=out)
    assert not [canary for canary in canaries() if canary in out.getvalue()]
    path = tmp_path / "dump.json"
    path.write_text(out.getvalue())
    Credential.objects.all().update(app_secret="", access_token="", refresh_token="")
    call_command("loaddata", str(path), verbosity=0)
    assert found() == canaries()


def test_rotation_moves_every_secret_to_the_newest_key(settings: Any) -> None:
    plant()
    old, new = settings.CREDENTIAL_KEYS[0], Fernet.generate_key().decode()
    settings.CREDENTIAL_KEYS = [new, old]
    call_command("rotate_credentials", stdout=(out := StringIO()))
    assert f"换到新密钥 {len(canaries())} 个" in out.getvalue()
    settings.CREDENTIAL_KEYS = [new]
    assert found() == canaries()
    call_command("rotate_credentials", stdout=(out := StringIO()))
    assert f"换到新密钥 0 个，原本就是 {len(canaries())} 个" in out.getvalue()


def test_a_rotation_that_was_cut_short_goes_on(settings: Any, monkeypatch: Any) -> None:
    plant()
    honest, left = rotation._replace, [4]

    def dies(*args: Any) -> int:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return honest(*args)

    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode(), settings.CREDENTIAL_KEYS[0]]
    monkeypatch.setattr(rotation, "_replace", dies)
    with pytest.raises(KeyboardInterrupt):
        rotation.rotate()
    assert found() == canaries(), "readable in the middle"
    monkeypatch.setattr(rotation, "_replace", honest)
    assert rotation.rotate().changed == len(canaries()) - 4


def test_a_token_renewed_during_the_rotation_stays(settings: Any, monkeypatch: Any) -> None:
    plant()
    honest = rotation._replace

    def beaten(model: Any, column: str, pk: int, *rest: str) -> int:
        if column == "access_token" and model is Credential:
            Credential.objects.filter(pk=pk).update(access_token="renewed")
        return honest(model, column, pk, *rest)

    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode(), settings.CREDENTIAL_KEYS[0]]
    monkeypatch.setattr(rotation, "_replace", beaten)
    rotation.rotate()
    assert Credential.objects.get().access_token == "renewed"


def test_a_wrong_key_is_an_error_and_never_ciphertext(settings: Any) -> None:
    plant()
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(SecretUnreadable, match="no key") as told:
        Credential.objects.get()
    assert told.value.__cause__ is None
    before = stored(Credential, "app_secret")
    err = StringIO()
    with pytest.raises(CommandError):
        call_command("rotate_credentials", stdout=StringIO(), stderr=err)
    assert "merchants.Credential" in err.getvalue()
    assert "fernet1:" not in err.getvalue()
    assert stored(Credential, "app_secret") == before, "nothing is lost by trying"


def test_a_column_that_was_never_encrypted_is_an_error() -> None:
    plant()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE merchants_platform SET aes_key = 'plain'")
    with pytest.raises(SecretUnreadable, match="not encrypted"):
        Platform.objects.get()


def test_saving_a_pasted_token_encrypts_it() -> None:
    merchant = add_merchant(appid="wx1", name="店")
    save_credential(merchant=merchant, mode="pasted", token="tok-" + "e" * 30, minutes=5, by=None)
    assert stored(Credential, "access_token")[0].startswith("fernet1:")
