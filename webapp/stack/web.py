"""The application as the embedded web server loads it, in a worker process that must not outlive the server."""

import os
import signal

from webapp.stack.launch import die_with_parent

die_with_parent(os.getppid(), signal.SIGKILL)

from webapp.wsgi import application  # noqa: E402

__all__ = ["application"]
