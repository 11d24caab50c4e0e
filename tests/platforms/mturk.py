"""Mechanical Turk, played: workers' pages over TLS on an address of its own, with the requester's task in a frame.

People preview a task, accept it, return it, and submit it with the form that the frame posts; the requester approves,
rejects, or lets an assignment run out. The rules are those of Amazon's guides: docs/platforms.md names them.
"""

import csv
import html
import io
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlencode

from tests.platforms.playing import Answer, Call, PlayedPlatform, page

PREVIEW = "ASSIGNMENT_ID_NOT_AVAILABLE"


class Status(StrEnum):
    ACCEPTED = "Accepted"
    SUBMITTED = "Submitted"
    APPROVED = "Approved"
    REJECTED = "Rejected"
    RETURNED = "Returned"
    ABANDONED = "Abandoned"


@dataclass
class Task:
    """A HIT: an address of the requester, and how many workers may do it."""

    number: str
    address: str
    places: int


@dataclass
class Assignment:
    number: str
    task: Task
    worker: str
    status: Status = Status.ACCEPTED
    form: dict[str, str] = field(default_factory=dict)
    feedback: str = ""


@dataclass
class MechanicalTurk(PlayedPlatform):
    """The platform, its tasks and who holds them. A worker's name stands in the path, as if they had signed in."""

    is_https: bool = True
    tasks: dict[str, Task] = field(default_factory=dict)
    assignments: dict[str, Assignment] = field(default_factory=dict)
    bonuses: dict[str, str] = field(default_factory=dict)

    def __post_init__(self):
        self.answer = self._answer

    # The requester's side.

    def publish(self, address: str, *, places: int = 10) -> Task:
        task = Task(f"3HIT{len(self.tasks) + 1}", address, places)
        self.tasks[task.number] = task
        return task

    def run_out(self, assignment: Assignment) -> None:
        """The worker's time is over: others may have the task."""
        assignment.status = Status.ABANDONED

    def review(self, text: str) -> None:
        """Take a results file in which somebody marked Approve, or gave a reason under Reject."""
        for row in csv.DictReader(io.StringIO(text)):
            assignment = self.assignments[row["AssignmentId"]]
            assert assignment.status == Status.SUBMITTED, "only what was submitted can be reviewed"
            assert bool(row["Approve"]) != bool(row["Reject"]), "one of the two columns is filled"
            assert len(row["Reject"]) <= 1024, "feedback has 1,024 characters at most"
            assignment.status = Status.APPROVED if row["Approve"] else Status.REJECTED
            assignment.feedback = row["Reject"]
            if row["BonusAmount"]:
                assert row["Reason"], "a bonus needs a reason"
                self.bonuses[assignment.worker] = row["BonusAmount"]

    # The worker's side.

    def accept(self, task: Task, worker: str) -> Assignment:
        """Accept a task as a worker does, with the button of its page."""
        answer = self.ask("POST", f"/{worker}/tasks/{task.number}/accept")
        assert answer.status_code == 200, answer.text
        return list(self.assignments.values())[-1]

    def page_of(self, assignment: Assignment) -> str:
        return f"{self.address}/{assignment.worker}/assignments/{assignment.number}"

    def give_back(self, assignment: Assignment) -> None:
        self.ask("POST", f"{self.page_of(assignment)}/return")

    def frame_address(self, task: Task, assignment: Assignment | None = None) -> str:
        """The requester's address with what the platform appends to it."""
        said = {"assignmentId": PREVIEW, "hitId": task.number}
        if assignment:
            said |= {"assignmentId": assignment.number, "workerId": assignment.worker, "turkSubmitTo": self.address}
        return f"{task.address}{'&' if '?' in task.address else '?'}{urlencode(said)}"

    # What its server answers.

    def _answer(self, call: Call) -> Answer:
        match (call.method, call.path.strip("/").split("/")):
            case ("POST", ["mturk", "externalSubmit"]):
                return self._submit(call.body)
            case ("GET", [worker, "tasks", number]) if number in self.tasks:
                return self._draw_preview(worker, self.tasks[number])
            case ("POST", [worker, "tasks", number, "accept"]) if number in self.tasks:
                return self._accept(worker, self.tasks[number])
            case ("GET", [worker, "assignments", number]) if self._is_theirs(worker, number):
                return self._draw_work(self.assignments[number])
            case ("POST", [worker, "assignments", number, "return"]) if self._is_theirs(worker, number):
                self.assignments[number].status = Status.RETURNED
                return page("Returned", "<p>Somebody else can do it now.</p>")
        return page("There is no such page", "", status=404)

    def _is_theirs(self, worker: str, number: str) -> bool:
        return number in self.assignments and self.assignments[number].worker == worker

    def _accept(self, worker: str, task: Task) -> Answer:
        over = {Status.RETURNED, Status.ABANDONED}
        held = [each for each in self.assignments.values() if each.task is task and each.status not in over]
        if len(held) >= task.places or any(each.worker == worker for each in held):
            return page("There are no more of these tasks", "", status=409)
        made = Assignment(f"3ASSIGN{len(self.assignments) + 1}", task, worker)
        self.assignments[made.number] = made
        return Answer(303, "", {"Location": self.page_of(made)})

    def _draw_preview(self, worker: str, task: Task) -> Answer:
        button = f'<form method="post" action="/{worker}/tasks/{task.number}/accept"><button>Accept</button></form>'
        return page("Task", button + _frame(self.frame_address(task)))

    def _draw_work(self, assignment: Assignment) -> Answer:
        if assignment.status != Status.ACCEPTED:
            return page(f"This assignment is {assignment.status.lower()}", "")
        button = f'<form method="post" action="{self.page_of(assignment)}/return"><button>Return</button></form>'
        return page("Task", button + _frame(self.frame_address(assignment.task, assignment)))

    def _submit(self, form: dict[str, str]) -> Answer:
        """Take a finished task. Without a field beside the assignment's id there is no answer in it."""
        assignment = self.assignments.get(form.get("assignmentId", ""))
        if assignment is None or len(form) < 2:
            return page("There was a problem submitting your results", "", status=400)
        if assignment.status != Status.ACCEPTED:
            return page("This task is not yours any more", "", status=400)
        assignment.status, assignment.form = Status.SUBMITTED, form
        return page("Submitted", "<p>Your results are submitted.</p>")


def _frame(address: str) -> str:
    return f'<iframe id="task" title="Task" width="100%" height="600" src="{html.escape(address)}"></iframe>'
