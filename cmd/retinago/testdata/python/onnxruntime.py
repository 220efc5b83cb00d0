"""Stands in for the package onnxruntime where that is not installed: a session runs its model with onnxruntime-node.

RETINAGO_RUN names a program for Node.js that is called as internal/model/onnx/testdata/run.js is.
"""
import json
import os
import subprocess
import tempfile

import numpy as np


class InferenceSession:
    def __init__(self, path, providers):
        self.path = path

    def run(self, outputs, inputs):
        ((name, value),) = inputs.items()
        with tempfile.TemporaryDirectory() as folder:
            raw, found = os.path.join(folder, "input"), os.path.join(folder, "outputs.json")
            value.tofile(raw)
            shape = ",".join(str(n) for n in value.shape)
            subprocess.run(["node", os.environ["RETINAGO_RUN"], self.path, raw, value.dtype.name, shape, found, name], check=True)
            with open(found) as f:
                results = json.load(f)
        types = {"labels": np.int64}
        return [np.array(results[k]["data"], types.get(k, np.float32)).reshape(results[k]["dims"]) for k in outputs]
