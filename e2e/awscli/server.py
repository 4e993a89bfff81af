"""The AWS CLI as a fork server: server.py SOCKET SCRIPT DELAY, by the interpreter of the installed CLI.

What every call of the CLI does again (imports, the models of ECS and EC2) is done once, by calls that reach nobody. Then, for each connection to the
socket, a copy of this process becomes the CLI: it takes the caller's arguments, environment, folder and files, and runs SCRIPT, the installed `aws`,
to its end. A connection carries the request (see read) and, back, the call's status in one byte. One that is closed earlier kills the call. Waiters look
every DELAY seconds, unless that is 0.

It prints "ready" when it is, and ends, with all calls, when its standard input does.
"""

import contextlib
import gc
import importlib
import os
import runpy
import select
import signal
import socket
import struct
import sys
import threading


def keep_files(files):
    """Has the CLI take its models from memory where they are there. A call may change what it gets, so it gets each one once. Returns a function
    that reads all again that the CLI has asked for until then."""
    read, asked, kept = files.load_file, set(), {}

    def load_file(self, path):
        asked.add(path)
        model = kept.pop(path, None)
        return read(self, path) if model is None else model

    files.load_file = load_file

    def again():
        kept.update((path, model) for path in asked if (model := read(files(), path)) is not None)
        return kept

    return again


def keep_lists(loader):
    """Has the CLI look once which services it has in which folders."""
    look, kept = loader.list_available_services, {}

    def list_available_services(self, type_name):
        key = type_name, tuple(self.search_paths)
        if key not in kept:
            kept[key] = look(self, type_name)
        return list(kept[key])

    loader.list_available_services = list_available_services


def hurry(models, delay):
    """Has waiters look again after so many seconds, and as much more often."""
    for path, model in models.items():
        if os.path.basename(path) == "waiters-2":
            for waiter in model["waiters"].values():
                waiter["maxAttempts"] = int(waiter["maxAttempts"] * waiter["delay"] / delay)
                waiter["delay"] = delay


@contextlib.contextmanager
def silence():
    """Nothing of what is printed meanwhile is seen."""
    kept = [os.dup(1), os.dup(2)]
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(kept[0], 1)
        os.dup2(kept[1], 2)
        for fd in kept + [nothing]:
            os.close(fd)


@contextlib.contextmanager
def without_runtime_log():
    """The CLI's native runtime (awscrt, of version 2) does not begin its log meanwhile: that is a thread, which a copy would wait for in vain."""
    try:
        runtime = importlib.import_module("awscrt.io")
    except ImportError:
        yield
        return
    begin, runtime.init_logging = runtime.init_logging, lambda *_: None
    try:
        yield
    finally:
        runtime.init_logging = begin


def warm(script, delay):
    """Calls the CLI in vain, at a port at which nobody listens, for what it imports and reads."""
    importlib.import_module("awscli.clidriver")
    loaders = sys.modules.get("awscli.botocore.loaders") or sys.modules["botocore.loaders"]  # version 2 has its own
    read_models = keep_files(loaders.JSONFileLoader)
    keep_lists(loaders.Loader)
    environment = dict(os.environ)
    os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_MAX_ATTEMPTS="1", AWS_CONFIG_FILE=os.devnull,
                      AWS_SHARED_CREDENTIALS_FILE=os.devnull, AWS_DEFAULT_REGION="us-east-1")
    with silence(), without_runtime_log():
        for call in (["ecs", "wait", "tasks-running", "--tasks", "x"], ["ec2", "describe-vpcs", "--output", "text"]):
            sys.argv = [script, "--endpoint-url", "http://127.0.0.1:1"] + call
            try:
                runpy.run_path(script, run_name="__main__")
            except SystemExit:
                pass
    os.environ.clear()
    os.environ.update(environment)
    models = read_models()
    if delay:
        hurry(models, delay)
    if threading.active_count() > 1:
        raise RuntimeError("the CLI has left threads, which a copy would lack")


def read(connection):
    """Reads a request: its length in four bytes, with which come the three files; then, each ended by a zero byte, the folder, the number of
    arguments, the arguments and the environment."""
    head, rights, _, _ = connection.recvmsg(4, socket.CMSG_SPACE(3 * 4))
    files = struct.unpack("3i", rights[0][2][:12])
    with connection.makefile("rb") as stream:
        head += stream.read(4 - len(head))
        parts = stream.read(struct.unpack(">I", head)[0]).split(b"\0")[:-1]
    count = int(parts[1])
    return files, parts[0], parts[2:2 + count], parts[2 + count:]


def become(connection, script):
    """Makes this process the caller's call of the CLI, which is then to be run."""
    os.setpgid(0, 0)
    files, folder, arguments, environment = read(connection)
    connection.close()
    for to, fd in enumerate(files):
        os.dup2(fd, to)
        os.close(fd)
    os.chdir(folder)
    os.environb.clear()
    for pair in environment:
        name, _, value = pair.partition(b"=")
        os.environb[name] = value
    importlib.reload(sys.modules["awscli"])  # it puts the path of its own models into the environment
    sys.argv = [script] + [os.fsdecode(a) for a in arguments]


class Server:
    """What calls run, by their connections' descriptors and their processes."""

    def __init__(self, listening):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(listening)
        self.socket.listen(128)
        self.wake, self.woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.calls = {}  # descriptor -> (connection, process)
        self.poll = select.poll()
        for fd in (0, self.socket.fileno(), self.wake):
            self.poll.register(fd, select.POLLIN)

    def serve(self):
        """Accepts connections. Returns the connection in the process that is to become its call, and None when all is over."""
        signal.set_wakeup_fd(self.woken, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while True:
            for fd, _ in self.poll.poll():  # in the order in which they were registered: an end is looked at before its descriptor can be another's
                if fd == 0:
                    if not os.read(0, 1):
                        return self.end()
                elif fd == self.wake:
                    os.read(self.wake, 4096)
                    self.reap()
                elif fd == self.socket.fileno():
                    connection, _ = self.socket.accept()
                    process = os.fork()
                    if process == 0:
                        self.leave()
                        return connection
                    self.calls[connection.fileno()] = connection, process
                    self.poll.register(connection.fileno(), 0)  # its end only: the call reads the request
                elif fd in self.calls:  # whoever called has ended
                    kill(self.calls[fd][1])
                    self.poll.unregister(fd)

    def reap(self):
        """Tells those whose calls have ended their status; that of a call that a signal ended is as in a shell."""
        while self.calls:
            process, status = os.waitpid(-1, os.WNOHANG)
            if process == 0:
                return
            for fd, (connection, of) in list(self.calls.items()):
                if of == process:
                    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
                    try:
                        connection.sendall(bytes([code]))
                    except OSError:
                        pass  # nobody waits for it any more
                    try:
                        self.poll.unregister(fd)
                    except KeyError:
                        pass  # its end has been seen
                    connection.close()
                    del self.calls[fd]

    def leave(self):
        """Forgets, in a new call, what is the server's."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.socket.close()
        os.close(self.wake)
        os.close(self.woken)
        for connection, _ in self.calls.values():
            connection.close()

    def end(self):
        for _, process in self.calls.values():
            kill(process)


def kill(process):
    """Kills a call and what it has started. It may have no group of its own yet, or have ended."""
    for how in (os.killpg, os.kill):
        try:
            how(process, signal.SIGKILL)
        except ProcessLookupError:
            pass


def main():
    listening, script, delay = sys.argv[1:]
    sys.path[0] = os.path.dirname(script)
    warm(script, float(delay))
    server = Server(listening)
    gc.collect()
    gc.freeze()
    os.write(1, b"ready\n")
    connection = server.serve()
    if connection is not None:
        become(connection, script)
        runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main()
