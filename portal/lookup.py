"""Which workspace somebody means who types its name. For commands. Reads only."""

from portal.models import Workspace
from portal.near import near


class NotFound(Exception):
    """No workspace, or more than one, is meant. Its text says what was looked up and what is there instead."""


def workspace_called(words: str) -> Workspace:
    """The workspace of this name or id. Raises NotFound."""
    typed = words.strip()
    known = list(Workspace.objects.order_by("name", "pk"))
    meant = [one for one in known if str(one.pk) == typed.lower()] or [
        one for one in known if one.name.casefold() == typed.casefold()
    ]
    if len(meant) == 1:
        return meant[0]
    if meant:
        ids = "\n".join(f"  {one.pk}" for one in meant)
        raise NotFound(f"{len(meant)} workspaces are called “{words}”. Name one by its id:\n{ids}")
    if not known:
        raise NotFound("There are no workspaces yet.")
    names = near(typed, [one.name for one in known]) or [one.name for one in known[:5]]
    listed = "\n".join(f"  {name}" for name in names)
    raise NotFound(f"No workspace is called “{words}”, by name or id, among {len(known)}. Near it:\n{listed}")
