from __future__ import annotations

from django.dispatch import Signal

# Sent with `workspace` and `text` once somebody's approval of a text is committed. One that is taken back and given
# again is sent again.
text_approved = Signal()
