"""Runs retinago and torchvision's RetinaNet on one GPU in turn and tabulates what they took. Started by gpu.sh."""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys

import peers

# Row: kind, and whether it is of one picture or of -batch.
ROWS = {"train": ("train", True), "infer-1": ("infer", False), "infer-n": ("infer", True)}
PEERS = ["retinago", "torch-eager", "torch-compile"]
TITLES = {"train": "training step: forward, losses, backward, optimiser", "infer": "inference, from pictures in memory to boxes"}
# What every program does with candidates: all of random weights' go on to NMS.
DECODING = ["infer.score=0", "infer.top_k=1000", "infer.nms=0.5", "infer.max_detections=100"]


def options():
    p = argparse.ArgumentParser(prog="bench/gpu.sh", add_help=False, description=__doc__)
    p.add_argument("-help", action="help", help="show this")
    p.add_argument("-rows", default=" ".join(ROWS), help="which, separated by spaces: " + ", ".join(ROWS))
    p.add_argument("-peers", default=" ".join(PEERS), help="which programs, separated by spaces: " + ", ".join(PEERS))
    p.add_argument("-device", default="cuda:0", help="cuda:N, or cpu, in float32, to try the script out")
    p.add_argument("-arch", default="resnet50")
    p.add_argument("-size", default="800x1344", help="canvas as HxW")
    p.add_argument("-batch", type=int, default=16, help="pictures at once in the rows of several")
    p.add_argument("-retinago", default="", help="options of retinago's besides, such as '-precision float32'")
    p.add_argument("-rounds", type=int, default=3, help="how often all programs of a row take turns")
    p.add_argument("-repeat", type=int, default=20, help="measured runs of a program in one turn, after two to warm up")
    p.add_argument("-out", type=pathlib.Path, help="file for the table; it is printed in any case")
    p.add_argument("-work", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    o = p.parse_args()
    o.rows, o.peers, o.threads = o.rows.split(), o.peers.split(), 1
    for given, known in ((o.rows, list(ROWS)), (o.peers, PEERS)):
        if unknown := [x for x in given if x not in known]:
            p.error(f"no {', '.join(unknown)}; there are {', '.join(known)}")
    try:
        o.h, o.w = map(int, o.size.split("x"))
    except ValueError:
        p.error(f"-size {o.size}: give height x width, as in 800x1344")
    if min(o.h, o.w, o.batch, o.rounds, o.repeat) < 1:
        p.error("-size, -batch, -rounds and -repeat want 1 or more")
    return o


class Bench(peers.Bench):
    def __init__(self, o):
        super().__init__(o)
        self.without = []  # (row, program) of what did not run

    def size(self, row):
        kind, many = ROWS[row]
        return kind, self.o.batch if many else 1

    def retinago(self, kind, n):
        o, out = self.o, self.o.work / "speed.json"
        decoding = [x for s in DECODING for x in ("-set", s)]
        self.call([peers.RETINAGO, "bench", "speed", "-weights", o.work / f"{o.arch}_{o.h}x{o.w}.ckpt", "-mode", kind, "-batch", n, "-size", o.size, "-device", o.device,
                   "-rounds", o.repeat, "-json", out, *decoding, *o.retinago.split()])
        r = json.loads(out.read_text())
        products = [p["gflop_per_s"] for p in r.get("peaks", []) if p["name"] == "a product in bf16"]
        return {"seconds": r["seconds"], "peak_mb": r.get("device_mb", r["peak_rss_mb"]), "gflop": r["gflop"], "product": max(products, default=0)}

    def measure(self, kind, peer, n):
        if peer == "retinago":
            return self.retinago(kind, n)
        o = self.o
        return json.loads(self.python("gpu_torch.py", kind, peer.removeprefix("torch-"), o.arch, o.work, n, o.h, o.w, o.repeat, o.device).splitlines()[-1])

    def turn(self, row, round, peer, measure):
        if (row, peer) in self.without:
            return
        before, self.failed = self.failed, False
        super().turn(row, round, peer, measure)
        if self.failed:
            self.without.append((row, peer))
        # torch.compile is a peer where it works.
        self.failed = before or self.failed and peer != "torch-compile"

    def run(self):
        self.prepare("train", self.o.arch, self.o.batch, self.o.h, self.o.w)  # the weights alone
        for row in self.o.rows:
            for round in range(self.o.rounds):
                for peer in self.o.peers:
                    self.turn(row, round, peer, lambda: self.measure(self.size(row)[0], peer, self.size(row)[1]))


def table(bench):
    """Markdown. A ratio is of the program's median to retinago's: above 1, retinago is faster."""
    o, out = bench.o, []
    peak = max((m["product"] for programs in bench.rows.values() for rounds in programs.values() for m in rounds), default=0)
    if peak:
        out += [f"bf16 peak: {peak / 1000:.0f} TFLOP/s, the best product of matrices of either program in this run", ""]
    for row, programs in bench.rows.items():
        kind, n = bench.size(row)
        out += [f"**{row}: {o.arch.replace('resnet', 'R')}-FPN, {n} x {o.size}, {TITLES[kind]}**", "",
                "| program | median ms | min ms | pictures/s | times retinago's | share of the bf16 peak | peak MB |", "|---|---|---|---|---|---|---|"]
        median = {p: statistics.median(s for m in rounds for s in m["seconds"]) for p, rounds in programs.items()}
        ours = median.get("retinago")
        work = next((m["gflop"] for m in programs.get("retinago", [])), 0)
        for p, rounds in programs.items():
            ratio = f"{median[p] / ours:.2f}" if ours else ""
            share = f"{work / median[p] / peak:.1%}" if work and peak else ""
            out.append(f"| {p} | {1e3 * median[p]:.2f} | {1e3 * min(s for m in rounds for s in m['seconds']):.2f} | {n / median[p]:.1f} | {ratio} | {share} |"
                       f" {max(m['peak_mb'] for m in rounds):.0f} |")
        others = {p: s for p, s in median.items() if p != "retinago"}
        if ours and others:
            best = min(others, key=others.get)
            out += ["", f"retinago takes {ours / others[best]:.2f} of the time of {best}."]
        if broken := [p for r, p in bench.without if r == row]:
            out += ["", f"Not run to the end here: {', '.join(broken)}; the log has why."]
        out.append("")
    return "\n".join(out).rstrip()


def machine(o):
    import torch
    import torchvision
    ours = subprocess.run([peers.RETINAGO, "version"], capture_output=True, text=True).stdout.splitlines()
    cuda = f", CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}" if torch.version.cuda else ""
    name = torch.cuda.get_device_name(o.device) if o.device != "cpu" else "the cpu"
    return f"{name}; {ours[0]}; torch {torch.__version__}{cuda}, torchvision {torchvision.__version__}; {o.rounds} rounds of {o.repeat} runs"


if __name__ == "__main__":
    sys.exit(peers.finish(Bench(options()), machine, table))
