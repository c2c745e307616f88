from __future__ import annotations

from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from accounts.models import Archive, Scope
from accounts.services import archives
from contentopt.downloads import stored
from contentopt.jobs import JobState
from generation.api.base import NoBody, PageQuery, WorkspaceAPIView
from generation.api.catalogues import AnyAccept
from generation.api.document import operation


class ArchiveReply(serializers.Serializer[Archive]):
    id = serializers.UUIDField()
    state = serializers.ChoiceField(JobState.choices)
    percent = serializers.IntegerField(help_text="How much of it is written.")
    rows = serializers.IntegerField(source="row_count")
    files = serializers.IntegerField(source="file_count")
    bytes = serializers.IntegerField(source="size_bytes")
    failure = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True, help_text="Once it is done: when it is dropped.")


class ArchiveAcceptedReply(ArchiveReply):
    status_url = serializers.URLField()


class ArchiveView(WorkspaceAPIView):
    required_scope = Scope.ADMIN
    open_while_closing = True


class Archives(ArchiveView):
    @operation("list_archives", query=PageQuery, replies={200: ArchiveReply(many=True)})
    def get(self, _request: Request) -> Response:
        """Archives of everything in the workspace, newest first. Each is kept for seven days."""
        self.query(PageQuery)
        return self.page(Archive.objects.in_workspace(self.workspace), ArchiveReply)

    @operation("create_archive", body=NoBody, replies={202: ArchiveAcceptedReply})
    def post(self, request: Request) -> Response:
        """Have everything of the workspace put into one ZIP: all tables as JSON lines and CSV, and the imported files.
        While one is being made it is the reply, so asking twice makes one. Poll `status_url`."""
        self.body(NoBody)
        archive = archives.request_archive(workspace=self.workspace, requested_by=self.person)
        status_url = reverse("api_archive", [archive.pk], request=request)
        return Response({**ArchiveReply(archive).data, "status_url": status_url}, status=202)


class OneArchive(ArchiveView):
    @operation("get_archive", replies={200: ArchiveReply}, errors=[404])
    def get(self, _request: Request, pk: str) -> Response:
        """How far an archive is."""
        return Response(ArchiveReply(self.find(Archive.objects.all(), pk)).data)


class ArchiveFile(ArchiveView):
    content_negotiation_class = AnyAccept

    @operation("download_archive", replies={(200, archives.ZIP): OpenApiTypes.BINARY}, errors=[404, 409])
    def get(self, _request: Request, pk: str) -> StreamingHttpResponse:
        """The ZIP itself, once it is done."""
        archive: Any = self.find(Archive.objects.select_related("workspace"), pk)
        return stored(archives.download(archive), archives.file_name(archive), archives.ZIP, archive.size_bytes)
