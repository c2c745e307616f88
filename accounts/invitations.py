"""Links of invitations: the row's id, signed. Nothing of a link is stored, so whoever reads the database has none, and
a worker that mails an invitation again after a crash mails the same link."""

from __future__ import annotations

from uuid import UUID

from django.core.signing import BadSignature, Signer

from accounts.models import Invitation

signer = Signer(salt="accounts.invitation")


def token_of(invitation_id: UUID) -> str:
    return signer.sign(str(invitation_id))


def find_invitation(token: str) -> Invitation | None:
    """The one that a link stands for, in whatever state; None for a link that we never made."""
    try:
        invitation_id = UUID(signer.unsign(token))
    except (BadSignature, ValueError):
        return None
    return (
        Invitation.objects.across_workspaces()
        .filter(pk=invitation_id)
        .select_related("workspace", "invited_by")
        .first()
    )


def masked(email: str) -> str:
    """Enough for its owner to know which account is meant, too little to write to: `b…@a….example`."""
    local, _, host = email.partition("@")
    name, dot, ending = host.rpartition(".")
    return f"{local[:1]}…@{name[:1]}…{dot}{ending}"
