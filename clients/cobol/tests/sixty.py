"""How many calls sixty COBOL processes make in a second, beside sixty Rust clients; they take turns.

    sixty.py SERVICE COBOL-PROGRAM RUST-PROGRAM
"""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

PROCESSES = 60
TURNS = 5
#: Calls of each process, by method.
CALLS = {"standin.ping": 2000, "text.match": 400}


def rate(program, method, environment):
    """Calls per second of sixty of them, from the word go to the last one's end."""
    started = [
        subprocess.Popen(
            [program, str(CALLS[method]), method],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    for one in started:
        assert one.stdout.readline().strip() == "ready", program
    begin = time.monotonic()
    for one in started:
        one.stdin.write("go\n")
        one.stdin.close()
    for one in started:
        said = one.stdout.readline().strip()
        assert said == "done", f"{program}: {said}"
    seconds = time.monotonic() - begin
    for one in started:
        one.wait()
    return PROCESSES * CALLS[method] / seconds


def main():
    service, cobol, rust = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        endpoint = str(pathlib.Path(folder) / "s")
        environment = {**os.environ, "STANDIN_ENDPOINT": endpoint}
        command = [service, "serve", "--endpoint", endpoint, "--state", folder + "/state", "--log", "warn"]
        serving = subprocess.Popen(command)
        try:
            for method in CALLS:
                rates = {"COBOL": [], "Rust": []}
                for turn in range(TURNS + 1):
                    for name, program in (("COBOL", cobol), ("Rust", rust)):
                        measured = rate(program, method, environment)
                        if turn:  # The first turn warms up.
                            rates[name].append(measured)
                ratio = statistics.median(a / b for a, b in zip(rates["COBOL"], rates["Rust"]))
                medians = {name: round(statistics.median(values)) for name, values in rates.items()}
                print(f"{method}: {medians}, ratio {ratio:.2f}", flush=True)
        finally:
            serving.terminate()
            serving.wait()


if __name__ == "__main__":
    main()
