from __future__ import annotations

from collections.abc import Callable

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from generation.api.base import NoBody, WorkspaceAPIView
from generation.api.document import operation
from generation.api.texts import TextReply
from generation.models import Text
from generation.services.reviewing import approve_text, reopen_text, submit_text


class ReviewStep(WorkspaceAPIView):
    def step(self, pk: str, change: Callable[[Text], Text]) -> Response:
        self.body(NoBody)
        return Response(TextReply(change(self.find(Text.objects.select_related("product"), pk))).data)


class SubmitText(ReviewStep):
    @operation("submit_text", body=NoBody, replies={200: TextReply}, errors=[404, 409])
    def post(self, _request: Request, pk: str) -> Response:
        """Send a product's present text to review. Its words stay from now on: an edit of it is a new version, a draft.
        Sending it twice is sending it once."""
        return self.step(pk, lambda text: submit_text(text, by=self.person))


class ApproveText(ReviewStep):
    required_scope = Scope.APPROVE

    @operation("approve_text", body=NoBody, replies={200: TextReply}, errors=[404, 409])
    def post(self, _request: Request, pk: str) -> Response:
        """The text may go out. Needs the scope `approve`, and a text in review that is still the product's present one,
        so that what is approved is what was read. Approving twice is approving once."""
        return self.step(pk, lambda text: approve_text(text, by=self.person))


class ReopenText(ReviewStep):
    @operation("reopen_text", body=NoBody, replies={200: TextReply}, errors=[404, 409])
    def post(self, _request: Request, pk: str) -> Response:
        """Back to a draft: takes the text out of review, or its approval back."""
        return self.step(pk, reopen_text)
