"""How long does a dump take from file to conversations, and how much memory? Measured against a bare loop of json.loads.

The dump is made here: the specimen's threads over and over, with fresh ids, names and words, compressed with a
window larger than zstd's usual limit, as Reddit's older months are. Each measurement has a process of its own:

    bare loop       json.loads for each line of the decompressed file, nothing else
    decoding        the compressed file decoded and thrown away: the memory that the decoder's window takes
    conversations   reading, cleaning, redacting, filtering and threading, by way of the disk

    python tests/benchmarks/bench_reddit.py [--size 1GB] [--repeats 3]
"""

import argparse
import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import zstandard

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))  # so that it runs in a clone that nobody installed

from helpers import data_path  # noqa: E402

MOST_TIMES = 4.0  # of the bare loop
MOST_MEMORY = 400  # megabytes beyond what decoding alone takes
WINDOW_LOG = 28
UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9}


def specimen_threads() -> list[list[dict]]:
    """Return the specimen's good records by thread; a broken line in every eighty is not how real months are."""
    threads: dict[str, list[dict]] = {}
    for line in data_path("sample_comments.jsonl").read_text(encoding="utf-8").splitlines():
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue
        if "body" in record:
            threads.setdefault(record["link_id"], []).append(record)
    return list(threads.values())


def template(thread: list[dict]) -> tuple[str, list[str], list[str]]:
    """Return a thread as lines to fill in with ``%``, its bodies, and the ends of its ids, which stay.

    All ids of the specimen have seven characters. The first four become ``%(new)s``; where an id is written as a
    number, the number of the new id stands under its last three.
    """
    names = {record["id"] for record in thread} | {thread[0]["link_id"][3:]}
    lines = []
    for number, record in enumerate(thread):
        author = record.get("author")
        if author and author != "[deleted]" and not re.search(r"bot|moderator", author, re.IGNORECASE):
            record = dict(record, author=author[:-5] + "_" + thread[0]["link_id"][3:7])
        line = json.dumps(dict(record, body=f"<{number}>"), separators=(",", ":")).replace("%", "%%")
        for name in names:
            line = line.replace(name, "%(new)s" + name[4:]).replace(str(int(name, 36)), f"%({name[4:]})d")
        line = line.replace(thread[0]["link_id"][3:7], "%(new)s")
        lines.append(line.replace(f'"<{number}>"', f"%(body{number})s"))
    return "\n".join(lines), [record["body"] for record in thread], [name[4:] for name in names]


def lines_of_dump(size: int, seed: int = 0) -> Iterator[str]:
    """Yield about ``size`` bytes of lines, in blocks within which all threads are mixed."""
    rng = random.Random(seed)
    threads = [template(thread) for thread in specimen_threads()]
    words = [word for _, bodies, _ in threads for body in bodies for word in body.split() if word.isalpha()]
    made, number = 0, 36**3
    while made < size:
        block = []
        for _ in range(50):
            for lines, bodies, ends in threads:
                number += 1
                new = base36(number)
                fields = {end: int(new + end, 36) for end in ends}
                varied = {body: json.dumps(vary(body, words, rng)) for body in bodies}
                fields.update({f"body{n}": varied[body] for n, body in enumerate(bodies)}, new=new)
                block += (lines % fields).split("\n")
        rng.shuffle(block)
        yield "\n".join(block) + "\n"
        made += sum(map(len, block)) + len(block)


def vary(body: str, words: list[str], rng: random.Random) -> str:
    """Exchange about every third plain word, so that hardly a body occurs twice but lengths and traps stay."""
    parts = body.split(" ")
    for _ in range(1 + len(parts) // 3):
        place = rng.randrange(len(parts))
        if parts[place].isalpha():
            parts[place] = rng.choice(words)
    return " ".join(parts)


def base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits


def write_dump(size: int, folder: Path) -> tuple[Path, Path]:
    """Write the dump twice, as plain lines and as zstd, and return both paths."""
    plain, packed = folder / "RC_2023-01.jsonl", folder / "RC_2023-01.zst"
    settings = zstandard.ZstdCompressionParameters.from_level(3, window_log=WINDOW_LOG)
    compressor = zstandard.ZstdCompressor(compression_params=settings)
    with plain.open("wb") as lines, packed.open("wb") as file, compressor.stream_writer(file) as archive:
        for block in lines_of_dump(size):
            lines.write(block.encode())
            archive.write(block.encode())
    return plain, packed


def bare_loop(path: Path) -> dict:
    lines = 0
    with path.open(encoding="utf-8", newline="\n") as file:
        for line in file:
            json.loads(line)
            lines += 1
    return {"lines": lines}


def decoding(path: Path) -> dict:
    from helpers.corpus.dumps import threads  # noqa: F401  (the same imports as below, so that only the work differs)
    from helpers.corpus.dumps.archives import decoded

    return {"bytes": sum(map(len, decoded(path)))}


def conversations(path: Path) -> dict:
    from helpers.corpus.cleaning import Filter
    from helpers.corpus.dumps import threads
    from helpers.corpus.dumps.reddit import ReadStats

    stats, filter = ReadStats(), Filter()
    for _ in threads.conversations(path, filter=filter, stats=stats):
        pass
    return {
        "comments": stats.comments,
        "kept": filter.counts["kept"],
        "threads": stats.threads,
        "conversations": stats.conversations,
        "spilled": stats.spilled,
    }


MEASUREMENTS = {"bare loop": bare_loop, "decoding": decoding, "conversations": conversations}


def peak_memory() -> int:
    """Return the most memory in bytes that this process ever held, and its workers beside it."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss  # of the largest worker: there are never more than 3
    workers = 3 * usage if usage else 0
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s*(\d+)", status.read_text())[1]) * 1024 + workers * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + workers  # macOS counts bytes


def measure(name: str, path: Path) -> dict:
    """Run one measurement in a new process and return its counts, "seconds" and "memory" in bytes."""
    command = [sys.executable, __file__, "--measure", name, "--path", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    if done.returncode:
        raise RuntimeError(f"{name} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def run(size: int = 10**9, repeats: int = 3) -> dict:
    """Measure everything ``repeats`` times in turns; return "times" (of the bare loop), "memory" (MB) and counts."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        began = time.perf_counter()
        plain, packed = write_dump(size, Path(folder))
        packed_size = packed.stat().st_size
        print(f"made {plain.stat().st_size / 1e6:,.0f} MB of lines, {packed_size / 1e6:,.0f} MB as zstd, ", end="")
        print(f"in {time.perf_counter() - began:.0f} s", flush=True)
        floor = measure("decoding", packed)
        times, memory = [], []
        before = measure("bare loop", plain)
        for number in range(repeats):
            full, after = measure("conversations", packed), measure("bare loop", plain)
            # Computers do not run evenly: what stands between two bare loops is compared with both.
            bare = (before["seconds"] + after["seconds"]) / 2
            before = after
            times.append(full["seconds"] / bare)
            memory.append((full["memory"] - floor["memory"]) / 1e6)
            print(
                f"  {number + 1}.  bare loop {bare:5.1f} s   decoding {floor['seconds']:4.1f} s   "
                f"conversations {full['seconds']:5.1f} s ({full['processor']:.1f} s of processor)   "
                f"{times[-1]:.2f} times   {memory[-1]:,.0f} MB",
                flush=True,
            )
    counts = {key: value for key, value in full.items() if key not in ("seconds", "processor", "memory")}
    return {"times": median(times), "memory": max(memory), "decoder": floor["memory"] / 1e6, **counts}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="1GB", help="decompressed, such as 100MB (default: 1GB)")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--measure", choices=MEASUREMENTS, help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_known_args()[0]
    if options.measure:
        began = time.perf_counter()
        result = MEASUREMENTS[options.measure](options.path)
        seconds = time.perf_counter() - began
        processor = sum(os.times()[:4])  # of this process and its workers
        print(json.dumps({**result, "seconds": seconds, "processor": processor, "memory": peak_memory()}))
        return 0
    size = int(float(options.size[:-2]) * UNITS[options.size[-2:].upper()])
    result = run(size, options.repeats)
    print(", ".join(f"{result[key]:,} {key}" for key in ("comments", "kept", "threads", "conversations", "spilled")))
    print(f"time:   {result['times']:.2f} times the bare loop (target: at most {MOST_TIMES})")
    print(
        "        (the work is shared by two or three processes: on a busy computer they wait, and the bare loop does not)"
    )
    print(
        f"memory: {result['memory']:,.0f} MB beyond the decoder (target: under {MOST_MEMORY}); "
        f"the decoder with Python takes {result['decoder']:,.0f} MB"
    )
    return int(result["times"] > MOST_TIMES or result["memory"] >= MOST_MEMORY)


if __name__ == "__main__":
    sys.exit(main())
