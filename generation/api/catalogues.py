from __future__ import annotations

from typing import Any, BinaryIO

from django.conf import settings
from django.db import IntegrityError
from django.db.models import Count
from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from contentopt.downloads import attachment
from contentopt.errors import Conflict
from generation.api.base import NewestFirst, PageQuery, WorkspaceAPIView
from generation.api.conditional import version_of
from generation.api.document import operation
from generation.api.strict import StrictSerializer
from generation.exporting import export_file, export_name
from generation.models import Catalogue, RowProblem
from generation.services.catalogues import receive_file

FORM_BYTES = 64 * 1024  # what a multipart form adds to the file it carries


class CatalogueReply(serializers.Serializer[Catalogue]):
    id = serializers.UUIDField()
    filename = serializers.CharField()
    status = serializers.ChoiceField(Catalogue.Status.choices)
    format = serializers.CharField(allow_blank=True)
    reason = serializers.CharField(source="format_reason", help_text="Why this format, or why the file was refused.")
    dialect = serializers.DictField(help_text="Encoding, delimiter and line end, as detected.")
    rows = serializers.IntegerField(source="row_count")
    products = serializers.IntegerField(source="product_count")
    problems = serializers.IntegerField(source="problem_count")
    created_at = serializers.DateTimeField()


class CatalogueAcceptedReply(CatalogueReply):
    status_url = serializers.URLField()


class ProblemReply(serializers.Serializer[RowProblem]):
    row_number = serializers.IntegerField()
    line = serializers.IntegerField()
    column = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class UploadBody(StrictSerializer):
    file = serializers.FileField(allow_empty_file=True, help_text="CSV or TSV, at most 100 MB.")


class ExportQuery(StrictSerializer):
    only_empty = serializers.BooleanField(default=False, help_text="Leave cells alone that hold a description.")


def with_problem_count() -> Any:
    return Catalogue.objects.annotate(problem_count=Count("problems"))


class Catalogues(WorkspaceAPIView):
    parser_classes = [MultiPartParser]
    max_body_bytes = settings.CATALOGUE_MAX_BYTES + FORM_BYTES

    @operation("list_catalogues", query=PageQuery, replies={200: CatalogueReply(many=True)})
    def get(self, _request: Request) -> Response:
        """Imported files, newest first."""
        self.query(PageQuery)
        return self.page(with_problem_count().in_workspace(self.workspace), CatalogueReply)

    @operation("upload_catalogue", body=UploadBody, replies={202: CatalogueAcceptedReply})
    def post(self, request: Request) -> Response:
        """Upload a catalogue file. It is imported in the background: poll `status_url`."""
        key = self.idempotency_key()
        upload = self.body(UploadBody)["file"]
        try:
            received = self.receive(upload, key)
        except IntegrityError:  # the same key arrived twice at once, and the other one is stored by now
            received = self.receive(upload, key)
        catalogue = self.find(with_problem_count(), received.pk)
        status_url = reverse("api_catalogue", [catalogue.pk], request=request)
        return Response({**CatalogueReply(catalogue).data, "status_url": status_url}, status=202)

    def receive(self, upload: BinaryIO, key: str | None) -> Catalogue:
        upload.seek(0)
        return receive_file(workspace=self.workspace, upload=upload, filename=upload.name, idempotency_key=key)


class OneCatalogue(WorkspaceAPIView):
    def version(self, pk: Any = None) -> str | None:
        return version_of(with_problem_count().in_workspace(self.workspace).filter(pk=pk), "problem_count")

    @operation("get_catalogue", replies={200: CatalogueReply}, errors=[404])
    def get(self, _request: Request, pk: str) -> Response:
        """How an import is going, and what was detected."""
        return Response(CatalogueReply(self.find(with_problem_count(), pk)).data)


class ByRow(NewestFirst):
    ordering = ("row_number", "id")


class CatalogueProblems(WorkspaceAPIView):
    pagination_class = ByRow

    @operation("list_catalogue_problems", query=PageQuery, replies={200: ProblemReply(many=True)}, errors=[404])
    def get(self, _request: Request, pk: str) -> Response:
        """What was odd, row by row."""
        self.query(PageQuery)
        catalogue: Catalogue = self.find(Catalogue.objects.all(), pk)
        return self.page(catalogue.problems.all(), ProblemReply)


class AnyAccept(DefaultContentNegotiation):
    """The reply is a file whatever the client says it accepts; refusals are JSON."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class CatalogueExport(WorkspaceAPIView):
    content_negotiation_class = AnyAccept

    @operation(
        "export_catalogue", query=ExportQuery, replies={(200, "text/csv"): OpenApiTypes.BINARY}, errors=[404, 409]
    )
    def get(self, _request: Request, pk: str) -> FileResponse:
        """The received file, byte for byte, except the cells we wrote. Works at any time of a run."""
        only_empty = self.query(ExportQuery)["only_empty"]
        catalogue: Catalogue = self.find(Catalogue.objects.all(), pk)
        if catalogue.status != Catalogue.Status.READY:
            raise Conflict("This file is not imported, so there is nothing to export.")
        return attachment(export_file(catalogue, only_empty=only_empty), export_name(catalogue), "text/csv")
