"""Files of tensors, clocks and reports."""
import json
import resource
import struct
import time

import numpy


def clock(run, repeat):
    """The seconds of each of some runs, after two to warm up, and the result of the last."""
    seconds = []
    for i in range(2 + repeat):
        begin = time.perf_counter()
        result = run()
        if i >= 2:
            seconds.append(time.perf_counter() - begin)
    return seconds, result


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report(seconds, peak, outputs=None, reference=None):
    """Prints a measurement as one line of JSON. outputs are compared with the tensors of a file."""
    fields = {"seconds": seconds, "peak_mb": peak}
    if outputs is not None:
        fields["difference"] = difference(outputs, load(reference))
    print(json.dumps(fields), flush=True)


def difference(outputs, want):
    """The largest difference of logits and deltas, by the largest magnitude of each."""
    return max(float(abs(outputs[k] - want[k]).max() / abs(want[k]).max()) for k in ("logits", "deltas"))


def save(path, tensors):
    """Writes float32 arrays as safetensors: the header's length, the header as JSON, the data."""
    header, at = {}, 0
    for name, a in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(a.shape), "data_offsets": [at, at + a.nbytes]}
        at += a.nbytes
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for a in tensors.values():
            f.write(numpy.ascontiguousarray(a, "<f4").tobytes())


def load(path):
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        data = f.read()
    header.pop("__metadata__", None)
    return {name: numpy.frombuffer(data[slice(*e["data_offsets"])], "<f4").reshape(e["shape"]) for name, e in header.items()}
