"""What one request for suggestions has come to so far: the goal, what was found, what else is to be said. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from tacit.server.question import closes
from tacit.server.suggest import BatchChecked, Event, Finished, Found, GoalFound, Remark
from tacit.server.values import CheckedTactic, Verdict


@dataclass(slots=True)
class Gathered:
    """Events taken in, one after the other.

    At most `limit` suggestions are kept, and no more are looked for once one of them closes the goal; until then the
    search goes on, for what only makes progress is no reason to miss what closes.
    """

    limit: int
    goal: GoalFound | None = None
    found: list[Found] = field(default_factory=list)
    verdicts: list[CheckedTactic] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def take(self, event: Event) -> Found | None:
        """Take an event in; the suggestion in it, where it is one that is kept."""
        match event:
            case GoalFound():
                self.goal = event
            case BatchChecked():
                self.verdicts += event.checked
            case Found(suggestion=suggestion) if self.goal is not None and (
                len(self.found) < self.limit or closes(suggestion)
            ):
                self.found.append(event)
                return event
            case Remark(failed=False):
                self.notices.append(event.sentence)
            case Finished() if event.notice:
                self.notices.append(event.notice)
        return None

    @property
    def checked(self) -> int:
        """How many candidates Lean was asked about."""
        return sum(each.verdict is not Verdict.REFUSED for each in self.verdicts)

    @property
    def closed(self) -> bool:
        """Whether something closes the goal."""
        return any(closes(each.suggestion) for each in self.found)

    @property
    def enough(self) -> bool:
        """Whether no more need be looked for."""
        return len(self.found) >= self.limit and self.closed

    @property
    def notice(self) -> str:
        """What is to be said beside the suggestions."""
        return " ".join(self.notices)
