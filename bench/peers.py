"""Runs retinago and its peers in turn and tabulates what they took. Started by peers.sh, which installs what it needs."""
import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

import tensors

HERE = pathlib.Path(__file__).resolve().parent
RETINAGO = HERE.parent / "bin" / "retinago"

# Row: kind, network, pictures at once, height, width.
ROWS = {
    "r50-800": ("infer", "resnet50", 1, 800, 1344),
    "r50-640": ("infer", "resnet50", 1, 640, 640),
    "r18-640": ("infer", "resnet18", 1, 640, 640),
    "r50-320": ("infer", "resnet50", 1, 320, 320),
    "r50-1280": ("infer", "resnet50", 1, 1280, 1280),
    "r50-640-b4": ("infer", "resnet50", 4, 640, 640),
    "r50-640-b16": ("infer", "resnet50", 16, 640, 640),
    "train-r50": ("train", "resnet50", 2, 512, 512),
    "train-r18": ("train", "resnet18", 4, 256, 256),
    "start-r50": ("start", "resnet50", 1, 640, 640),
    "jpeg-r50": ("jpeg", "resnet50", 1, 800, 1344),
    "int8-r50": ("int8", "resnet50", 1, 800, 1344),
}
PEERS = {"infer": ["retinago", "onnxruntime", "torch-jit", "torch-eager", "opencv"], "train": ["retinago", "torch"], "start": ["retinago", "onnxruntime"],
         "jpeg": ["retinago", "onnxruntime"], "int8": ["retinago", "onnxruntime"]}
TITLES = {"infer": "inference, raw outputs", "train": "training step, frozen norms", "start": "from the start of the program to the first result",
          "jpeg": "from a JPEG to its boxes, ONNX Runtime between torchvision's preparation and post-processing",
          "int8": "raw outputs in 8 bits, of ONNX Runtime in float32"}

HELP = """rows: %s

An added row is a line of the file of -add: name, program and a command, which is run in the folder of the files. It prints
a line of JSON, {"seconds": [...], "peak_mb": ...}, or is timed as a whole:

  folder-r50 retinago .../bin/retinago detect -weights resnet50.safetensors -source photos -json boxes.json
  folder-r50 torchvision /usr/bin/python3 my_pipeline.py photos""" % ", ".join(ROWS)

# What makes malloc keep memory instead of giving it back after each operation, which PyTorch is slow without.
TUNED = {"MALLOC_MMAP_THRESHOLD_": str(1 << 32), "MALLOC_TRIM_THRESHOLD_": str(8 << 30), "MALLOC_TOP_PAD_": str(256 << 20)}


def options():
    p = argparse.ArgumentParser(prog="bench/peers.sh", formatter_class=argparse.RawDescriptionHelpFormatter, epilog=HELP, add_help=False)
    p.add_argument("-help", action="help", help="show this")
    p.add_argument("-rows", default=" ".join(ROWS), help="which, separated by spaces")
    p.add_argument("-peers", default="", help="which programs, separated by spaces; all of the row where it is left out")
    p.add_argument("-rounds", type=int, default=3, help="how often all programs of a row take turns")
    p.add_argument("-repeat", type=int, default=5, help="measured runs of a program in one turn, after two to warm up")
    p.add_argument("-threads", type=int, default=len(os.sched_getaffinity(0)))
    p.add_argument("-add", type=pathlib.Path, help="file of more rows")
    p.add_argument("-out", type=pathlib.Path, help="file for the table; it is printed in any case")
    p.add_argument("-work", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    p.add_argument("-ort", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    o = p.parse_args()
    o.rows = o.rows.split()
    unknown = [r for r in o.rows if r not in ROWS]
    if unknown:
        p.error(f"no row {', '.join(unknown)}; there are {', '.join(ROWS)}")
    known = sorted({x for v in PEERS.values() for x in v})
    if set(o.peers.split()) - set(known):
        p.error(f"-peers {o.peers}: there are {', '.join(known)}")
    if min(o.rounds, o.repeat, o.threads) < 1:
        p.error("-rounds, -repeat and -threads want 1 or more")
    return o


class Failure(Exception):
    """A program that ended with an error."""


class Bench:
    def __init__(self, o):
        self.o = o
        self.failed = False  # any program
        self.env = os.environ | {"OMP_NUM_THREADS": str(o.threads), "OPENBLAS_NUM_THREADS": str(o.threads)}
        self.rows = {}  # name of the row: {program: [measurements]}

    def call(self, command, cwd=None, env=None):
        """Runs a command and returns what it printed; its messages go to a log."""
        with open(self.o.work / "log.txt", "a") as log:
            r = subprocess.run([str(c) for c in command], cwd=cwd, env=self.env | (env or {}), stdout=subprocess.PIPE, stderr=log, text=True)
        if r.returncode != 0:
            raise self.failure(r.returncode, command)
        return r.stdout

    def failure(self, code, command):
        return Failure(f"exit code {code} of {' '.join(map(str, command))}; see {self.o.work}/log.txt")

    def python(self, script, *args, env=None):
        return self.call([sys.executable, HERE / script, *args], env=env)

    def make(self, path, *command):
        """Makes a file of the folder that is not there."""
        if not (self.o.work / path).exists():
            print(f"making {path}", file=sys.stderr, flush=True)
            self.call(command)

    def prepare(self, kind, arch, n, h, w):
        work, python = self.o.work, (sys.executable, HERE / "prepare.py")
        self.make(f"{arch}.pth", *python, "weights", arch, work)
        side = ["-set", f"data.short_sides=[{min(h, w)}]", "-set", f"data.max_side={max(h, w)}"]
        self.make(f"{arch}_{h}x{w}.ckpt", RETINAGO, "weights", "import", work / f"{arch}.pth", "-out", work / f"{arch}_{h}x{w}.ckpt", *side)
        if kind != "train":
            self.make(f"{arch}_{n}_{h}x{w}.safetensors", *python, "pictures", arch, work, n, h, w)
            self.make(f"{arch}_{n}_{h}x{w}.onnx", RETINAGO, "export", "-weights", work / f"{arch}_{h}x{w}.ckpt", "-to", "onnx", "-size", f"{h}x{w}",
                      "-batch", n, "-out", work / f"{arch}_{n}_{h}x{w}.onnx")
        if kind in ("start", "jpeg", "int8"):
            self.make(f"{h}x{w}/picture.jpg", *python, "jpeg", work / f"{h}x{w}", h * 3 // 4, w * 3 // 4)
        if kind == "int8":
            self.make(f"{arch}_{h}x{w}_int8.ckpt", RETINAGO, "quantize", "-weights", work / f"{arch}_{h}x{w}.ckpt", "-images", work / f"{h}x{w}",
                      "-out", work / f"{arch}_{h}x{w}_int8.ckpt")

    def retinago(self, kind, arch, n, h, w):
        work, out = self.o.work, self.o.work / "speed.json"
        weights = work / (f"{arch}_{h}x{w}_int8.ckpt" if kind == "int8" else f"{arch}_{h}x{w}.ckpt")
        command = [RETINAGO, "bench", "speed", "-weights", weights, "-rounds", self.o.repeat, "-threads", self.o.threads, "-json", out]
        if kind == "train":
            self.call([*command, "-mode", "train", "-batch", n, "-size", f"{h}x{w}"])
        elif kind == "jpeg":
            self.call([*command, "-picture", work / f"{h}x{w}/picture.jpg"])
        elif kind == "int8":
            self.call([*command, "-input", work / f"{n}_{h}x{w}.safetensors"])
        else:
            raw = work / "raw.safetensors"
            self.call([*command, "-input", work / f"{n}_{h}x{w}.safetensors", "-outputs", raw])
        r = json.loads(out.read_text())
        m = {"seconds": r["seconds"], "peak_mb": r["peak_rss_mb"]}
        if kind == "infer":
            m["difference"] = tensors.difference(tensors.load(raw), tensors.load(work / f"{arch}_{n}_{h}x{w}.safetensors"))
        return m

    def measure(self, kind, peer, arch, n, h, w):
        work, repeat, threads = self.o.work, self.o.repeat, self.o.threads
        name = f"{n}_{h}x{w}"
        node = ["node", HERE / "onnxruntime.js", work / f"{arch}_{name}.onnx", work / f"{name}.safetensors", work / f"{arch}_{name}.safetensors"]
        if kind == "start":
            command = {"retinago": [RETINAGO, "detect", "-weights", work / f"{arch}_{h}x{w}.ckpt", "-source", work / f"{h}x{w}/picture.jpg", "-json", work / "boxes.json",
                                    "-threads", threads],
                       "onnxruntime": [*node, 0, threads]}[peer]
            return self.whole(command, repeat)
        if peer == "retinago":
            return self.retinago(kind, arch, n, h, w)
        if kind == "jpeg":
            network = json.loads(self.call([*node, repeat, threads], cwd=self.o.ort).splitlines()[-1])
            around = json.loads(self.python("around_torch.py", arch, work, h, w, repeat, threads, env=TUNED).splitlines()[-1])
            return {"seconds": [a + b for a, b in zip(network["seconds"], around["seconds"])], "peak_mb": network["peak_mb"]}
        if peer == "onnxruntime":
            out = self.call([*node, repeat, threads], cwd=self.o.ort)
        elif peer == "opencv":
            out = self.python("infer_opencv.py", work / f"{arch}_{name}.onnx", arch, work, name, repeat, threads)
        elif kind == "train":
            out = self.python("train_torch.py", arch, work, n, h, repeat, threads, env=TUNED)
        else:
            out = self.python("infer_torch.py", peer.removeprefix("torch-"), arch, work, name, repeat, threads, env=TUNED)
        return json.loads(out.splitlines()[-1])

    def whole(self, command, repeat):
        """Times a command from its start to its end, after one run that brings its files into memory."""
        seconds, peak = [], 0
        for i in range(1 + repeat):
            begin = time.perf_counter()
            with open(self.o.work / "log.txt", "a") as log:
                p = subprocess.Popen([str(c) for c in command], cwd=self.o.ort, env=self.env, stdout=log, stderr=log)
                _, status, usage = os.wait4(p.pid, 0)
            p.returncode = os.waitstatus_to_exitcode(status)
            if p.returncode != 0:
                raise self.failure(p.returncode, command)
            if i > 0:
                seconds.append(time.perf_counter() - begin)
            peak = max(peak, usage.ru_maxrss / 1024)
        return {"seconds": seconds, "peak_mb": peak}

    def added(self):
        """The rows of -add, by name: (program, command)."""
        rows = {}
        for line in self.o.add.read_text().splitlines() if self.o.add else []:
            if line.strip() and not line.startswith("#"):
                name, peer, command = line.split(None, 2)
                rows.setdefault(name, []).append((peer, command))
        return rows

    def command(self, line):
        out = self.call(["bash", "-c", line], cwd=self.o.work)
        last = (out.splitlines() or [""])[-1]
        return json.loads(last) if last.startswith("{") else self.whole(["bash", "-c", f"cd '{self.o.work}' && {line}"], self.o.repeat)

    def turn(self, row, round, peer, measure):
        try:
            m = measure()
        except Failure as e:
            self.failed = True
            print(f"{row} {peer}: {e}", file=sys.stderr, flush=True)
            return
        self.rows.setdefault(row, {}).setdefault(peer, []).append(m)
        print(f"{row} round {round + 1}/{self.o.rounds} {peer}: {min(m['seconds']):.3f} s", file=sys.stderr, flush=True)

    def run(self):
        for row in self.o.rows:
            kind, *size = ROWS[row]
            self.prepare(kind, *size)
            peers = [p for p in PEERS[kind] if not self.o.peers or p in self.o.peers.split()]
            for round in range(self.o.rounds):
                for peer in peers:
                    self.turn(row, round, peer, lambda: self.measure(kind, peer, *size))
        for row, commands in self.added().items():
            for round in range(self.o.rounds):
                for peer, line in commands:
                    self.turn(row, round, peer, lambda: self.command(line))


def title(row):
    if row not in ROWS:
        return row
    kind, arch, n, h, w = ROWS[row]
    return f"{row}: {arch.replace('resnet', 'R')}-FPN, {n} x {h}x{w}, {TITLES[kind]}"


def table(rows):
    """Markdown. A ratio is of the program's minimum to retinago's: above 1, retinago is faster."""
    out = []
    for row, peers in rows.items():
        out += [f"**{title(row)}**", "", "| program | median s | min s | times retinago's | peak MB | largest difference |", "|---|---|---|---|---|---|"]
        ours = best(peers["retinago"]) if "retinago" in peers else None
        for peer, rounds in peers.items():
            seconds = [s for m in rounds for s in m["seconds"]]
            ratio = f"{min(seconds) / ours:.2f}" if ours else ""
            peak = max(m.get("peak_mb", 0) for m in rounds)
            off = max((m["difference"] for m in rounds if "difference" in m), default=None)
            out.append(f"| {peer} | {statistics.median(seconds):.3f} | {min(seconds):.3f} | {ratio} | {peak:.0f} | {'' if off is None else f'{off:.1e}'} |")
        out.append("")
    return "\n".join(out)


def best(rounds):
    return min(s for m in rounds for s in m["seconds"])


def machine(o):
    cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.processor())
    versions = subprocess.run([sys.executable, "-c", "import torch, torchvision, cv2; print('PyTorch', torch.__version__ + ', torchvision', torchvision.__version__ + ', OpenCV', cv2.__version__)"],
                              capture_output=True, text=True).stdout.strip()
    ort = json.loads((o.ort / "node_modules/onnxruntime-node/package.json").read_text())["version"]
    ours = subprocess.run([RETINAGO, "version"], capture_output=True, text=True).stdout.splitlines()
    return f"{cpu}, {o.threads} threads; {ours[0]}, {ours[2]}; {versions}, ONNX Runtime {ort}; {o.rounds} rounds of {o.repeat} runs, load {os.getloadavg()[0]:.1f}"


def finish(bench, machine, table):
    """Measures everything, prints machine and table, writes them to -out and returns the exit code."""
    try:
        bench.run()
    except (KeyboardInterrupt, Failure) as e:
        bench.failed = True
        print(f"{e or 'interrupted'}: the table holds what was measured before", file=sys.stderr)
    text = f"{machine(bench.o)}\n\n{table(bench)}"
    print(text)
    if bench.o.out:
        bench.o.out.write_text(text + "\n")
    return int(bench.failed)


if __name__ == "__main__":
    sys.exit(finish(Bench(options()), machine, lambda bench: table(bench.rows)))
