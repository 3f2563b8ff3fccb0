import asyncio, pytest
@pytest.fixture(scope="session")
def anyio_backend(): return "asyncio"
async def test_sleeps(database, tenant_id):
    async with database.transaction(tenant_id) as tx:
        await asyncio.sleep(1000)
async def test_sleeps2(database, tenant_id):
    async with database.transaction(tenant_id) as tx:
        await tx.run("select pg_sleep(29)")
def test_ok(): pass
