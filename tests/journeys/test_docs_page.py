"""The page at /docs works on a machine that reaches nothing but itself."""

import re

import httpx2
from starlette.types import ASGIApp

from tests.api.serving import client_of


async def test_the_docs_page_takes_everything_from_the_service_itself(sandbox_app: ASGIApp) -> None:
    async with client_of(sandbox_app) as client:
        page = await client.get("/docs")
        assert page.status_code == 200
        links = re.findall(r"""(?:src|href)=["']([^"']+)""", page.text) + re.findall(r"url: '([^']+)'", page.text)
        found = {link: await client.get(link) for link in links if not link.startswith("data:")}
    assert "http" not in page.text.replace("http-equiv", "")
    assert {link: (answer.status_code, _kind(answer)) for link, answer in found.items()} == {
        "/docs/files/swagger-ui.css": (200, "text/css"),
        "/docs/files/swagger-ui-bundle.js": (200, "text/javascript"),
        "/openapi.json": (200, "application/json"),
    }


def _kind(answer: httpx2.Response) -> str:
    return answer.headers["content-type"].partition(";")[0]
