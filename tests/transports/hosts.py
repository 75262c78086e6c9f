"""Network namespaces as hosts: each with a name and an address of its own, on one switch, with links of a
given rate.

    with Hosts(2, rate="1gbit") as hosts:
        hosts.run(["program"], ranks_each=2)
"""
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time

SKIPPED = 77  # exit status that ctest knows


def require():
    """Ends the program, with the reason, where hosts cannot be made."""
    if os.geteuid() != 0:
        print("skipped: network namespaces need root")
        sys.exit(SKIPPED)
    for tool in ("ip", "tc", "unshare"):
        if shutil.which(tool) is None:
            print(f"skipped: there is no '{tool}'")
            sys.exit(SKIPPED)


def command(*words):
    subprocess.run(words, check=True, timeout=30)


class Hosts:
    def __init__(self, count, rate=None):
        require()
        self.count, self.rate = count, rate
        self.tag = f"{os.getpid() % 100000}"
        self.network = f"10.{77 + os.getpid() % 100}.{os.getpid() // 100 % 250}"
        self.bridge = f"cb{self.tag}"
        self.names = [f"ch{self.tag}-{i}" for i in range(count)]

    def __enter__(self):
        try:
            self._make()
        except subprocess.CalledProcessError as error:
            self.__exit__()
            print(f"skipped: this system makes no network namespaces: {error}")
            sys.exit(SKIPPED)
        return self

    def _make(self):
        command("ip", "link", "add", self.bridge, "type", "bridge")
        command("ip", "link", "set", self.bridge, "up")
        for i, name in enumerate(self.names):
            outer, inner = f"co{self.tag}-{i}", f"ci{self.tag}-{i}"
            command("ip", "netns", "add", name)
            command("ip", "link", "add", outer, "type", "veth", "peer", "name", inner)
            command("ip", "link", "set", inner, "netns", name)
            command("ip", "link", "set", outer, "master", self.bridge, "up")
            inside = ("ip", "netns", "exec", name)
            command(*inside, "ip", "link", "set", "lo", "up")
            command(*inside, "ip", "address", "add", f"{self.network}.{i + 1}/24", "dev", inner)
            command(*inside, "ip", "link", "set", inner, "up")
            if self.rate:
                limit = ("root", "tbf", "rate", self.rate, "burst", "256kb", "latency", "20ms")
                command("tc", "qdisc", "add", "dev", outer, *limit)
                command(*inside, "tc", "qdisc", "add", "dev", inner, *limit)

    def __exit__(self, *_):
        for i in range(self.count):
            subprocess.run(["ip", "link", "del", f"co{self.tag}-{i}"], check=False, stderr=subprocess.DEVNULL)
            subprocess.run(["ip", "netns", "del", self.names[i]], check=False, stderr=subprocess.DEVNULL)
        subprocess.run(["ip", "link", "del", self.bridge], check=False, stderr=subprocess.DEVNULL)

    def cut(self, host):
        """From now on nothing comes from or goes to it."""
        command("ip", "link", "set", f"co{self.tag}-{host}", "down")

    def start(self, launch, program, ranks_each=1, **environment):
        """One launch a host: `launch` is cclbench's command, followed by its options."""
        job = {**os.environ, "MASTER_ADDR": f"{self.network}.1", "MASTER_PORT": "29511",
               "CCL_SECRET": secrets.token_hex(16), "WORLD_SIZE": str(self.count * ranks_each), **environment}
        processes = []
        for i, name in enumerate(self.names):
            inside = ["ip", "netns", "exec", name, "unshare", "--uts", "sh", "-c",
                      f"hostname {name} && exec \"$@\"", "sh", *launch, "-np", str(ranks_each), "--", *program]
            processes.append(subprocess.Popen(inside, env={**job, "RANK": str(i * ranks_each)}, text=True,
                                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
        return processes

    @staticmethod
    def finish(processes, timeout):
        """Statuses and outputs. Who takes too long is ended."""
        deadline, results = time.monotonic() + timeout, []
        for process in processes:
            try:
                output, _ = process.communicate(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGTERM)
                output, _ = process.communicate()
                output += "\n(took too long)"
            results.append((process.returncode, output))
        return results

    def run(self, launch, program, ranks_each=1, timeout=100, **environment):
        return self.finish(self.start(launch, program, ranks_each, **environment), timeout)
