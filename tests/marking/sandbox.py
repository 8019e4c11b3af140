"""What a process may do that runs an answer: compute, print into nothing, and write into a folder of its own.

``enter`` is called in a new process, before any of a learner's code. Three walls, each behind the other:

1. limits of the system: seconds of processor time, memory, size and number of open files, processes;
2. on Linux, where it allows it: namespaces of its own, with no network, a read-only disk, and 64 MB in its own folder;
3. everywhere: an audit hook, which refuses sockets, processes, foreign libraries, and writing or deleting elsewhere.

This keeps mistakes and pranks away from your computer. It is **not** a boundary against an attacker: who wants to get out of
a Python process from inside it will. Mark the work of people you don't trust in a container or a virtual machine. On macOS
there are no namespaces and no limit of memory by the system: there the audit hook and the process that watches have to do.
"""

import ctypes
import io
import os
import resource
import sys
import tempfile
from pathlib import Path

FILE_SIZE, OPEN_FILES, FILES_WRITTEN, PROCESSES = 16 * 2**20, 128, 200, 64
FOLDER_SIZE = "64m"
KEPT_OUTPUT = 10_000
# Beginnings of the names of audit events, and what a teacher reads when one was refused.
FORBIDDEN = {
    "socket.": "open a socket",
    "subprocess.": "start a program",
    "os.system": "start a program",
    "os.exec": "start a program",
    "os.posix_spawn": "start a program",
    "os.spawn": "start a program",
    "os.startfile": "start a program",
    "pty.spawn": "start a program",
    "os.fork": "start a process",
    "os.kill": "end a process",
    "signal.pthread_kill": "end a process",
    "ctypes.": "use a foreign library",
    "resource.": "change its limits",
    "gc.get_": "look through the memory",
    "sys.settrace": "watch other code",
    "sys.setprofile": "watch other code",
    "sys.addaudithook": "watch other code",
    "mmap.": "map a file",
}
# Events that change what lies on the disk, with the places of the paths in their arguments and of the folders these start from.
CHANGES = {
    "os.remove": [(0, 1)],
    "os.rmdir": [(0, 1)],
    "os.mkdir": [(0, 2)],
    "os.rename": [(0, 2), (1, 3)],
    "os.link": [(0, 2), (1, 3)],
    "os.symlink": [(1, 2)],
    "os.truncate": [(0, None)],
    "os.chmod": [(0, 2)],
    "os.chown": [(0, 3)],
    "os.utime": [(0, 3)],
    "os.setxattr": [(0, None)],
    "os.removexattr": [(0, None)],
    "os.chflags": [(0, None)],
    "sqlite3.connect": [(0, None)],
}
CHANGING_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
NEW_NAMESPACES = 0x10000000 | 0x40000000 | 0x00020000  # user, network, mounts
ALL_BELOW, PRIVATE, NO_SUID_NO_DEVICES = 0x4000, 0x40000, 6  # of mount
READ_ONLY, RECURSIVE, MOUNT_SETATTR, FROM_HERE = 1, 0x8000, 442, -100  # of mount_setattr


class Refused(PermissionError):
    """Raised inside an answer that tries what it may not."""


class Output(io.TextIOBase):
    """Where an answer prints: the beginning is kept, the rest forgotten."""

    def __init__(self):
        self.kept = ""

    def write(self, text) -> int:
        if len(self.kept) < KEPT_OUTPUT:
            self.kept += str(text)[:KEPT_OUTPUT]
        return len(text)


def enter(folder: Path, seconds: float, memory: int, refused: list[str]) -> None:
    """Shut this process in for good; into ``refused`` goes from now on what the audit hook has refused.

    ``folder`` is the one place where it may write, ``seconds`` its processor time, ``memory`` the bytes it may take beyond
    those it has. Standard input is empty, and what is written to standard output and error is lost.
    """
    null = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(null, stream)
    sys.stdin, sys.stdout, sys.stderr = open(os.devnull), Output(), Output()
    sys.dont_write_bytecode = True
    if sys.platform == "linux":
        _namespaces(folder)
    os.chdir(folder)
    os.environ.update(HOME=str(folder), TMPDIR=str(folder), MPLCONFIGDIR=str(folder), XDG_CACHE_HOME=str(folder))
    tempfile.tempdir = None  # it remembers the one it has used before
    _limits(seconds, memory)
    _hook(folder, refused)


def _limits(seconds: float, memory: int) -> None:
    limits = {
        "RLIMIT_CPU": int(seconds) + 1,
        "RLIMIT_FSIZE": FILE_SIZE,
        "RLIMIT_NOFILE": OPEN_FILES,
        "RLIMIT_CORE": 0,
    }
    if sys.platform == "linux":
        # Without a namespace of its own this would count all processes of this user.
        limits |= {"RLIMIT_NPROC": PROCESSES} if _alone() else {}
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limits["RLIMIT_AS"] = pages * os.sysconf("SC_PAGE_SIZE") + memory
    for name, most in limits.items():
        # Past the first limit of time comes a signal that tells why, past the second one that does not.
        last = most + 2 if name == "RLIMIT_CPU" else most
        resource.setrlimit(getattr(resource, name), (most, last))


def _alone() -> bool:
    """Whether this process has a user namespace of its own: the one of the whole computer maps every number."""
    return "4294967295" not in Path("/proc/self/uid_map").read_text()


def _namespaces(folder: Path) -> bool:
    """Leave the network and make all but ``folder`` read-only; return whether the system let us."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(NEW_NAMESPACES):
        return False
    try:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    except OSError:
        return False
    attributes = (ctypes.c_uint64 * 4)(READ_ONLY, 0, 0, 0)
    libc.mount(None, b"/", None, ctypes.c_ulong(ALL_BELOW | PRIVATE), None)
    # Linux 5.12 has it, not every libc; its number is the same on every architecture.
    libc.syscall(MOUNT_SETATTR, FROM_HERE, b"/", RECURSIVE, ctypes.byref(attributes), ctypes.sizeof(attributes))
    size = f"size={FOLDER_SIZE}".encode()
    libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", ctypes.c_ulong(NO_SUID_NO_DEVICES), size)
    _give_up_powers(libc)
    return True


def _give_up_powers(libc) -> None:
    """Drop all capabilities, which a new user namespace brings, and the way to get new ones."""
    libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    libc.capset(ctypes.byref(header), ctypes.byref(data))


def _hook(folder: Path, refused: list[str]) -> None:
    """Install the audit hook; it stays for the life of the process."""
    home = os.path.realpath(folder)
    written = [0]

    def refuse(what: str):
        if len(refused) < 20 and what not in refused:
            refused.append(what)
        raise Refused(f"an answer that is marked may not {what}")

    # A check names the learner's last line outside of installed packages: not this one.
    refuse.__code__ = refuse.__code__.replace(co_filename="<frozen sandbox>")

    def inside(path, start=None) -> bool:
        if isinstance(path, int):
            path = f"/proc/self/fd/{path}"
        path = os.fsdecode(path)
        if isinstance(start, int) and start >= 0 and not os.path.isabs(path):
            path = os.path.join(os.path.realpath(f"/proc/self/fd/{start}"), path)
        parent, name = os.path.split(os.path.abspath(path))
        full = os.path.join(os.path.realpath(parent), name)
        return all(place == home or place.startswith(home + os.sep) for place in (full, os.path.realpath(path)))

    def opened(path, flags) -> None:
        if isinstance(path, int) and path > 2:
            refuse("use a file that others have opened")
        if isinstance(flags, int) and flags & CHANGING_FLAGS and path != os.devnull and not isinstance(path, int):
            written[0] += 1
            if not inside(path):
                refuse("write a file outside its folder")
            if written[0] > FILES_WRITTEN:
                refuse(f"write more than {FILES_WRITTEN} files")

    def hook(event: str, arguments: tuple) -> None:
        if event == "open":
            opened(arguments[0], arguments[2])
        elif event in CHANGES:
            for path, start in CHANGES[event]:
                start = arguments[start] if start is not None and start < len(arguments) else None
                if not inside(arguments[path], start):
                    refuse("change or delete a file outside its folder")
        elif event.startswith(BEGINNINGS):
            refuse(next(what for beginning, what in FORBIDDEN.items() if event.startswith(beginning)))

    sys.addaudithook(hook)


BEGINNINGS = tuple(FORBIDDEN)
