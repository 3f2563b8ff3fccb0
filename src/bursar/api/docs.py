"""`/docs`, for people who try the API in a browser, with no network: Swagger UI comes from a package installed here."""

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

PATH = "/docs"

# A distribution of Swagger UI's files; the package itself is not imported.
_FILES = ("fastapi_offline", "static")


def add_docs(app: FastAPI) -> None:
    """Serve the page and its files; `app` must be made without FastAPI's own, which asks a CDN for them."""
    page = get_swagger_ui_html(
        openapi_url=app.openapi_url or "",
        title=app.title,
        swagger_js_url=f"{PATH}/files/swagger-ui-bundle.js",
        swagger_css_url=f"{PATH}/files/swagger-ui.css",
        swagger_favicon_url="data:,",
    )

    async def docs() -> HTMLResponse:
        return HTMLResponse(page.body)

    app.add_api_route(PATH, docs, include_in_schema=False)
    app.mount(f"{PATH}/files", StaticFiles(packages=[_FILES]))
