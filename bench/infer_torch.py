"""PyTorch, raw outputs: infer_torch.py eager|jit ARCH FOLDER NAME REPEAT THREADS, NAME such as 1_640x640.

eager is channels-last; jit is traced, frozen and optimised for inference, which fuses norms and activations."""
import sys
import warnings

import torch

import model
import tensors

mode, arch, folder, name, repeat, threads = sys.argv[1:]
torch.set_num_threads(int(threads))
warnings.filterwarnings("ignore")  # of tracing: the canvas is fixed
net = model.Raw(model.load(arch, folder)).eval()
x = torch.from_numpy(tensors.load(f"{folder}/{name}.safetensors")["nchw"].copy())
with torch.no_grad():
    if mode == "eager":
        net = net.to(memory_format=torch.channels_last)
        x = x.contiguous(memory_format=torch.channels_last)
    else:
        net = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(net, x)))
    seconds, (logits, deltas) = tensors.clock(lambda: net(x), int(repeat))
peak = tensors.peak_mb()
tensors.report(seconds, peak, {"logits": logits.numpy(), "deltas": deltas.numpy()}, f"{folder}/{arch}_{name}.safetensors")
