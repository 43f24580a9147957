"""verbs: what `%wf VERB` and the command `wf VERB` do that needs no notebook: looking at sessions, and going back."""

from __future__ import annotations
