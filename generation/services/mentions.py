"""Who is meant by “@bob” in a comment, and that they are told; as is whoever is given a text to see to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership, Notice, User, Workspace
from accounts.notices import one_line
from generation.models import Comment, Product

MOST_TOLD = 10  # by one comment
# Not after a letter or another “@”, so that an address in running text mentions nobody.
_MENTION = re.compile(r"(?<![\w.+@-])@([\w.+-]+(?:@[\w.-]+)?)")


def handles(members: Iterable[Membership]) -> dict[str, Membership]:
    """What each is mentioned by: what stands before the @ of their address, or the whole of it where two share that."""
    members = list(members)
    names = Counter(_local_part(member) for member in members)
    return {_local_part(member) if names[_local_part(member)] == 1 else member.user.email: member for member in members}


def _local_part(member: Membership) -> str:
    return member.user.email.partition("@")[0].lower()


def members_of(workspace: Workspace | UUID) -> list[Membership]:
    """Those who can sign in, by address."""
    members = Membership.objects.in_workspace(workspace).filter(user__is_active=True).select_related("user")
    return list(members.order_by("user__email"))


def mentioned(words: str, members: Iterable[Membership]) -> list[Membership]:
    """Each once, in the order they are named."""
    members = list(members)
    known = {member.user.email.lower(): member for member in members} | handles(members)
    names = (name.lower().rstrip(".-+_") for name in _MENTION.findall(words))
    return list(dict.fromkeys(known[name] for name in names if name in known))


def tell_mentioned(comment: Comment) -> None:
    """Inside the comment's transaction. Each is told once of a comment, however often it is changed; nobody of their
    own."""
    people = [
        member
        for member in mentioned(comment.words, members_of(comment.workspace_id))
        if member.user_id != comment.created_by_id
    ]
    notices = [
        Notice(
            workspace_id=comment.workspace_id,
            kind=Notice.Kind.MENTION,
            topic=f"{_topic(comment)}{member.pk.hex}",
            details={
                "user": str(member.user_id),
                "headline": _headline(comment),
                "words": comment.words,
                "path": path_of(comment),
            },
        )
        for member in people[:MOST_TOLD]
    ]
    Notice.objects.bulk_create(notices, ignore_conflicts=True)


def tell_assigned(product: Product, *, to: Membership, by: User | None) -> None:
    """Once an hour at most: who hands out texts hands out many, and the list that the mail leads to has them all."""
    who = str(by) if by else "A program"
    notice = Notice(
        workspace_id=product.workspace_id,
        kind=Notice.Kind.MENTION,
        topic=f"assigned/{to.pk.hex}/{timezone.now():%Y%m%d%H}",
        details={
            "user": str(to.user_id),
            "headline": f"{who} assigned you a text",
            "words": f"It is the one of “{one_line(product.title)[:120]}”. If more come within the hour, there is no "
            "further mail; the list has all of them.",
            "path": f"{reverse('products', args=(product.workspace.slug,))}?assignee=me",
            "is_assignment": True,
        },
    )
    Notice.objects.bulk_create([notice], ignore_conflicts=True)


def untell(comment: Comment) -> None:
    """Of a comment that is deleted: mails that are not sent yet are not, and nothing keeps its words."""
    Notice.objects.in_workspace(comment.workspace_id).filter(
        kind=Notice.Kind.MENTION, topic__startswith=_topic(comment)
    ).delete()


def path_of(comment: Comment) -> str:
    name, pk = ("product", comment.text.product_id) if comment.text.product_id else ("text", comment.text_id)
    return f"{reverse(name, args=(comment.workspace.slug, pk))}#comment-{comment.pk}"


def _topic(comment: Comment) -> str:
    return f"mention/{comment.pk.hex}/"


def _headline(comment: Comment) -> str:
    who = str(comment.created_by) if comment.created_by else "A program"
    product = comment.text.product
    return f"{who} mentioned you" + (f" about {one_line(product.title)[:120]}" if product else "")
