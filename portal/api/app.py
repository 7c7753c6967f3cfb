"""The API: its two ways to authenticate, its errors, its OpenAPI document."""

import json
from functools import cached_property
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest
from django.urls import URLPattern, URLResolver
from django.views.decorators.http import require_safe
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser

from portal.api import bundles, editing, problems, spaces, uploads
from portal.api.callers import RecorderToken, Session

ABOUT = """Recorders upload recordings and transcripts of Spaces: register the Space, start an upload, send its parts
straight to the store, complete it, and read its progress. To download, request a bundle, and poll until it has an
address. Errors are application/problem+json (RFC 9457)."""


class JsonParser(Parser):
    """Accept 2.0 as an integer, as JSON Schema does: JSON has only one kind of number."""

    def parse_body(self, request: HttpRequest) -> Any:
        return json.loads(request.body, parse_float=_parse_number)


def _parse_number(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() else number


class Api(NinjaAPI):
    @property
    def urls(self) -> tuple[list[URLResolver | URLPattern], str, str]:
        """Exempt the API from SignInMiddleware, which would redirect to the sign-in page: the API authenticates its
        callers itself."""
        patterns, app_name, namespace = super().urls
        for pattern in patterns:
            assert isinstance(pattern, URLPattern)
            assert pattern.callback is not None
            login_not_required(pattern.callback)
        return patterns, app_name, namespace

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """Cache the document: it is always the same, and generating it takes 0.2 s of CPU."""
        return self._document

    @cached_property
    def _document(self) -> OpenAPISchema:
        document = super().get_openapi_schema()
        for methods in document["paths"].values():
            for operation in methods.values():
                for status, response in operation["responses"].items():
                    if int(status) >= 400:
                        response["content"] = {problems.CONTENT_TYPE: response["content"]["application/json"]}
        return document


api = Api(
    title="Spacekeep",
    version="1",
    description=ABOUT,
    docs_url=None,
    docs_decorator=require_safe,  # the OpenAPI document only
    auth=[RecorderToken(), Session()],
    urls_namespace="api",
    parser=JsonParser(),
)
problems.register(api)
api.add_router("/spaces", spaces.router)
api.add_router("", uploads.router)
api.add_router("", bundles.router)
api.add_router("", editing.router)
