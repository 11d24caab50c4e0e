"""A RabbitMQ node of its own, made by the start script and the configuration of production; tests may kill it."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import amqp

from webapp.env import ROOT

START = ROOT / "deploy" / "rabbitmq" / "start.sh"
CONF = ROOT / "deploy" / "rabbitmq" / "rabbitmq.conf"
RABBITMQ_BIN = Path("/usr/lib/rabbitmq/bin")
PASSWORDS = {"RABBITMQ_PASSWORD": "web-password", "RABBITMQ_GPU_PASSWORD": "gpu-password"}
BY_USER = {"duologue": "web-password", "gpu": "gpu-password"}


def is_installed() -> bool:
    return (RABBITMQ_BIN / "rabbitmq-server").exists()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Node:
    """Keeps its data over kills: it starts again on the same port, under the same name."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="duologue-broker-"))
        self.port = free_port()
        self.name = f"duologue-test-{self.port}@localhost"
        configuration = CONF.read_text().replace("/tmp/", f"{self.directory}/")
        (self.directory / "rabbitmq.conf").write_text(f"{configuration}listeners.tcp.1 = 127.0.0.1:{self.port}\n")
        (self.directory / "plugins").write_text("[].")

    def start(self) -> None:
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                ["sh", START], env=self.environment(), stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + 180
        while not self.answers():
            assert time.monotonic() < deadline, (self.directory / "log").read_text()[-2000:]
            time.sleep(0.5)

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def answers(self) -> bool:
        try:
            with self.connect("duologue"):
                return True
        except OSError:
            return False

    def connect(self, user: str) -> amqp.Connection:
        place = {"virtual_host": "duologue", "connect_timeout": 5}
        return amqp.Connection(f"127.0.0.1:{self.port}", user, BY_USER[user], **place)

    def url(self, user: str) -> str:
        return f"amqp://{user}:{BY_USER[user]}@127.0.0.1:{self.port}/duologue"

    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{RABBITMQ_BIN}:{os.environ['PATH']}",
            "HOME": str(self.directory),
            "DEFINITIONS_FILE": str(self.directory / "definitions.json"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(self.directory / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.directory / "plugins"),
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_MNESIA_BASE": str(self.directory),
            "RABBITMQ_LOG_BASE": str(self.directory),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            **PASSWORDS,
        }
