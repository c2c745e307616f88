from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from contentopt.errors import Conflict, DomainError
from generation.api.base import NewestFirst, WorkspaceAPIView, page
from generation.exporting import export_file, export_name
from generation.models import Catalogue, RowProblem
from generation.services.catalogues import receive_file


class CatalogueReply(serializers.Serializer[Catalogue]):
    id = serializers.UUIDField()
    filename = serializers.CharField()
    status = serializers.CharField()
    format = serializers.CharField()
    reason = serializers.CharField(source="format_reason")
    dialect = serializers.JSONField()
    rows = serializers.IntegerField(source="row_count")
    products = serializers.IntegerField(source="product_count")
    problems = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()

    def get_problems(self, catalogue: Catalogue) -> int:
        return catalogue.problems.count()


class ProblemReply(serializers.Serializer[RowProblem]):
    row_number = serializers.IntegerField()
    line = serializers.IntegerField()
    column = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class UploadBody(serializers.Serializer[Any]):
    file = serializers.FileField(allow_empty_file=True)


class ByRow(NewestFirst):
    ordering = ("row_number", "id")


class Catalogues(WorkspaceAPIView):
    parser_classes = [MultiPartParser]
    max_body_bytes = settings.CATALOGUE_MAX_BYTES + 64 * 1024

    @extend_schema(responses=CatalogueReply(many=True))
    def get(self, _request: Request) -> Response:
        """Imported files, newest first."""
        return page(self, NewestFirst(), Catalogue.objects.in_workspace(self.workspace), CatalogueReply)

    @extend_schema(request=UploadBody, responses={202: CatalogueReply})
    def post(self, request: Request) -> Response:
        """Upload a catalogue file (CSV or TSV). It is imported in the background; poll `status_url`."""
        body = UploadBody(data=request.data)
        body.is_valid(raise_exception=True)
        upload = body.validated_data["file"]
        catalogue = receive_file(
            workspace=self.workspace, upload=upload, filename=upload.name, idempotency_key=self.idempotency_key()
        )
        status_url = reverse("api_catalogue", [catalogue.pk], request=request)
        return Response({**CatalogueReply(catalogue).data, "status_url": status_url}, status=202)


class OneCatalogue(WorkspaceAPIView):
    @extend_schema(responses=CatalogueReply)
    def get(self, _request: Request, pk: str) -> Response:
        """How an import is going, and what was detected."""
        return Response(CatalogueReply(self.find(Catalogue.objects.all(), pk)).data)


class CatalogueProblems(WorkspaceAPIView):
    @extend_schema(responses=ProblemReply(many=True))
    def get(self, _request: Request, pk: str) -> Response:
        """What was odd, row by row."""
        catalogue: Catalogue = self.find(Catalogue.objects.all(), pk)
        return page(self, ByRow(), catalogue.problems.all(), ProblemReply)


class CatalogueExport(WorkspaceAPIView):
    @extend_schema(
        responses={(200, "text/csv"): OpenApiTypes.BINARY},
        parameters=[OpenApiParameter("only_empty", bool, description="Leave cells alone that hold a description.")],
    )
    def get(self, request: Request, pk: str) -> StreamingHttpResponse:
        """The received file, byte for byte, except the cells we wrote. Works at any time of a run."""
        catalogue: Catalogue = self.find(Catalogue.objects.all(), pk)
        if catalogue.status != Catalogue.Status.READY:
            raise Conflict("This file is not imported, so there is nothing to export.")
        only_empty = request.query_params.get("only_empty", "").lower() in ("1", "true", "yes")
        response = StreamingHttpResponse(export_file(catalogue, only_empty=only_empty), content_type="text/csv")
        response.headers["Content-Disposition"] = content_disposition(catalogue)
        return response


def content_disposition(catalogue: Catalogue) -> str:
    header = content_disposition_header(as_attachment=True, filename=export_name(catalogue))
    if header is None:
        raise DomainError("This file has no name to download it under.")
    return header
