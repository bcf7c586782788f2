"""A service of the chaos suite in a folder of its own, which can be killed and started again."""

import json
import os
import subprocess
import threading


class Service:
    """The process. `wrapper` is what it is begun by, `environment` what it finds beside the usual variables; `state` is its
    state folder, `builtin` whether it has Standin's own pool, `workers` how many work at a time, and `settings` are further ones."""

    def __init__(self, program, folder, *, state=None, builtin=False, settings="", workers=2, wrapper=(), environment=None):
        folder.mkdir(parents=True, exist_ok=True)
        self.program, self.folder = program, folder
        self.state = state or folder / "state"
        self.endpoint, self.ledger = str(folder / "s"), folder / "ledger"
        # Nothing is left in the home of whoever runs this.
        self.environment = {**os.environ, "STANDIN_STATE": str(self.state), **(environment or {})}
        (folder / "standin.toml").write_text(
            f"[endpoint]\npath = '{self.endpoint}'\n[state]\ndir = '{self.state}'\n"
            f"[pools.builtin]\nenabled = {str(builtin).lower()}\n"
            f"[pools.chaos]\ncommand = ['{program}', 'hostile-worker']\n"
            f"environment = {{ CHAOS_LEDGER = '{self.ledger}', CHAOS_START = '' }}\n"
            f"workers = {{ min = 1, max = {workers}, spare = 1 }}\n" + settings
        )
        self.lives = 0
        self.start(wrapper)

    def start(self, wrapper=()):
        self.lives += 1
        command = [*wrapper, self.program, "serve", "--config", str(self.folder / "standin.toml")]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment
            )

    def kill(self):
        self.process.kill()
        self.process.wait()

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def count(self, number, step):
        """How often workers came to that step ("Begun", "Effect", "Answering") with the call of that number."""
        return self.numbers(step).count(number)

    def numbers(self, step):
        """The number of a call for each time that a worker came to that step."""
        # Each worker writes a file of its own.
        lines = [line for file in self.ledger.glob("*") for line in file.read_text().splitlines()]
        return [entry["id"] for entry in map(json.loads, lines) if entry["step"] == step]

    def begun(self, number):
        return self.count(number, "Begun")


class KeptService(Service):
    """One that is started again whenever it ends, as a service manager would."""

    def __init__(self, program, folder, **options):
        # The codes with which its lives ended, but for the last.
        self.closing, self.ended = False, []
        super().__init__(program, folder, **options)
        self.keeper = threading.Thread(target=self.keep)
        self.keeper.start()

    def keep(self):
        while True:
            code = self.process.wait()
            if self.closing:
                return
            self.ended.append(code)
            self.start()

    def close(self):
        self.closing = True
        # It may have died in this moment, and have been started again.
        asked = None
        while self.keeper.is_alive():
            if asked is not self.process:
                asked = self.process
                asked.terminate()
            self.keeper.join(0.1)
