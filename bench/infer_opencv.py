"""OpenCV DNN, raw outputs: infer_opencv.py MODEL.onnx ARCH FOLDER NAME REPEAT THREADS"""
import sys

import cv2

import tensors

path, arch, folder, name, repeat, threads = sys.argv[1:]
cv2.setNumThreads(int(threads))
net = cv2.dnn.readNetFromONNX(path)
net.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)
x = tensors.load(f"{folder}/{name}.safetensors")["nchw"]


def run():
    net.setInput(x)
    return net.forward(["logits", "deltas"])


seconds, (logits, deltas) = tensors.clock(run, int(repeat))
peak = tensors.peak_mb()
tensors.report(seconds, peak, {"logits": logits, "deltas": deltas}, f"{folder}/{arch}_{name}.safetensors")
