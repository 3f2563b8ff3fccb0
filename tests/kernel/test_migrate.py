"""Migrations are applied once, in order, whoever else is at it, and not at all when they were edited."""

import asyncio
from importlib.resources import files

import pytest

from bursar.kernel.db import connect
from bursar.kernel.migrate import CannotMigrate, migrate, pending


async def _value(url: str, sql: str) -> object:
    connection = await connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_a_fresh_database_gets_all_of_them_and_the_second_time_none(empty_database_url: str) -> None:
    wanted = await pending(empty_database_url)
    assert wanted == sorted(wanted)
    assert wanted[0].startswith("0001_")
    assert await migrate(empty_database_url) == wanted
    assert await migrate(empty_database_url) == []
    assert await pending(empty_database_url) == []


async def test_many_at_once_apply_each_once(empty_database_url: str) -> None:
    wanted = await pending(empty_database_url)
    done = await asyncio.gather(*(migrate(empty_database_url) for _ in range(6)))
    assert sorted(name for names in done for name in names) == wanted
    assert await _value(empty_database_url, "SELECT count(*) FROM bursar.schema_migration") == len(wanted)


async def test_everything_belongs_to_the_owner_who_cannot_log_in(empty_database_url: str) -> None:
    await migrate(empty_database_url)
    strangers = """SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
                   WHERE c.relnamespace = 'bursar'::regnamespace AND (r.rolname <> 'bursar_owner' OR r.rolcanlogin)"""
    assert await _value(empty_database_url, strangers) == 0


async def test_one_that_was_edited_after_it_was_applied_is_refused(unverified_database_url: str) -> None:
    edit = "UPDATE bursar.schema_migration SET sha256 = 'other' WHERE name LIKE '0002%' RETURNING name"
    name = await _value(unverified_database_url, edit)
    for ask in (pending, migrate):
        with pytest.raises(CannotMigrate, match=f"{name} was edited"):
            await ask(unverified_database_url)


async def test_one_that_fails_leaves_nothing_and_is_taken_up_again(empty_database_url: str) -> None:
    wanted = await pending(empty_database_url)
    await _value(empty_database_url, "CREATE SCHEMA bursar AUTHORIZATION bursar_owner")
    await _value(empty_database_url, "CREATE TABLE bursar.hold (in_the_way int)")
    with pytest.raises(Exception, match="already exists"):
        await migrate(empty_database_url)
    left = await pending(empty_database_url)
    assert 0 < len(left) < len(wanted)
    assert await _value(empty_database_url, "SELECT to_regclass('bursar.account') IS NULL") is True
    await _value(empty_database_url, "DROP TABLE bursar.hold")
    assert await migrate(empty_database_url) == left


async def test_a_login_that_may_not_is_told_what_to_do(empty_database_url: str) -> None:
    await _value(empty_database_url, "CREATE ROLE migrate_test_stranger LOGIN")
    try:
        with pytest.raises(CannotMigrate, match="bursar migrate"):
            await migrate(empty_database_url.replace("postgres@", "migrate_test_stranger@", 1))
    finally:
        await _value(empty_database_url, "DROP ROLE migrate_test_stranger")


async def test_agents_keys_lose_the_scopes_to_freeze_and_keep_the_one_to_stop_themselves(database_url: str) -> None:
    connection = await connect(database_url)
    try:
        await connection.execute(
            """SET search_path = bursar;
               INSERT INTO tenant (tenant_id, name)
                   VALUES (gen_random_uuid(), 'one'), (gen_random_uuid(), 'two');
               INSERT INTO principal (tenant_id, id, kind, name)
                   SELECT tenant_id, gen_random_uuid(), kind, kind FROM tenant, unnest('{agent,operator}'::text[]) kind;
               INSERT INTO api_key (tenant_id, id, principal_id, secret_hash, scopes)
                   SELECT tenant_id, row_number() OVER (), id, sha256(''),
                          '{accounts:read,accounts:freeze,freezes:read,freezes:write}' FROM principal"""
        )
        text = (files("bursar") / "migrations" / "0010_powers.sql").read_text(encoding="utf-8")
        await connection.execute(f"SET ROLE bursar_owner; {text} RESET ROLE")
        rows = await connection.fetch("SELECT kind, scopes FROM api_key k JOIN principal p ON p.id = k.principal_id")
        kept = {"agent": ["accounts:read", "freezes:read", "freezes:self"]}
        untouched = ["accounts:read", "accounts:freeze", "freezes:read", "freezes:write"]
        assert [tuple(row) for row in rows if row["scopes"] != kept.get(row["kind"], untouched)] == []
        assert len(rows) == 4
    finally:
        await connection.close()
