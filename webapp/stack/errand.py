"""What a stack is started for, done in a thread beside the supervisor: a demo, a rehearsal, or just the links."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.db import connection
from django.urls import reverse

from annotation.errors import DuologueError
from annotation.models import Study
from webapp.stack.admin_user import describe_admin
from webapp.stack.demo import DemoMaker, Stopped


@dataclass(frozen=True)
class Options:
    """What `manage.py up` was asked for."""

    data_dir: Path
    port: int
    demo: bool = False
    rehearse: int = 0
    mixed: bool = False
    exit: bool = False

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Errand(threading.Thread):
    """Runs the task. `code` is 0 until it fails; `stop` asks it to leave off."""

    def __init__(self, options: Options, *, tell: Callable[[str], None]) -> None:
        super().__init__(name="errand", daemon=True)
        self.options = options
        self.tell = tell
        self.stop = threading.Event()
        self.code = 0

    def run(self) -> None:
        try:
            self.do()
        except Stopped:
            return
        except DuologueError as error:
            self.fail(error.user_message)
        except Exception as error:
            # The database goes away under a task that is asked to stop: that is no failure.
            if not self.stop.is_set():
                self.fail(f"{type(error).__name__}: {error}")
                raise
        finally:
            connection.close()

    def fail(self, sentence: str) -> None:
        self.code = 1
        self.tell(sentence)

    def do(self) -> None:
        """Make what was asked for, then say where everything is."""
        study = self.make_demo() if self.options.demo else None
        if study is not None and self.options.rehearse:
            self.rehearse(study)
        self.show_links(study)

    def make_demo(self) -> Study:
        return DemoMaker(logs=self.options.data_dir / "logs", tell=self.tell, stop=self.stop).make()

    def rehearse(self, study: Study) -> None:
        """Have simulated annotators judge a copy of the study; a result that is off is a failure."""
        # Here, because it loads the statistics, which would add a second to every other start.
        from annotation.rehearsal.mixed import rehearse_mixed
        from annotation.rehearsal.running import rehearse

        run = rehearse_mixed if self.options.mixed else rehearse
        outcome = run(
            study,
            annotators=self.options.rehearse,
            address=self.options.address,
            folder=self.options.data_dir / "rehearsals",
        )
        self.tell(str(outcome))
        self.tell(f"Its page: {self.options.address}{reverse('results', args=[outcome.study.code])}")
        if not outcome.holds:
            self.fail("The rehearsal did not give back what its rule put in.")

    def show_links(self, study: Study | None) -> None:
        """Print the addresses for people."""
        address = self.options.address
        if study is not None:
            self.tell(f"  rate     {address}{reverse('annotator:landing', args=[study.code])}")
            self.tell(f"  results  {address}{reverse('results', args=[study.code])}")
        self.tell(f"  admin    {address}/admin/   {describe_admin(self.options.data_dir)}")
