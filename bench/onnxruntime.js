// ONNX Runtime, raw outputs: node onnxruntime.js MODEL.onnx FOLDER/NAME.safetensors REFERENCE.safetensors REPEAT THREADS
// REPEAT 0 loads, runs once and ends, for the time of a start. Run where npm has installed onnxruntime-node.
const fs = require('fs'), { createRequire } = require('module');
const ort = createRequire(process.cwd() + '/')('onnxruntime-node');
const [model, input, reference, repeat, threads] = process.argv.slice(2);

// tensors reads float32 safetensors: the header's length, the header as JSON, the data.
function tensors(path) {
  const b = fs.readFileSync(path), n = Number(b.readBigUInt64LE(0)), header = JSON.parse(b.toString('utf8', 8, 8 + n)), out = {};
  for (const [name, { shape, data_offsets: [from, to] }] of Object.entries(header)) {
    if (name !== '__metadata__') out[name] = { shape, data: new Float32Array(b.buffer.slice(b.byteOffset + 8 + n + from, b.byteOffset + 8 + n + to)) };
  }
  return out;
}

// difference is the largest one, by the largest magnitude.
function difference(got, want) {
  let most = 0, off = 0;
  for (let i = 0; i < want.length; i++) {
    most = Math.max(most, Math.abs(want[i]));
    off = Math.max(off, Math.abs(got[i] - want[i]));
  }
  return off / most;
}

(async () => {
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ['cpu'], intraOpNumThreads: +threads, interOpNumThreads: 1, graphOptimizationLevel: 'all', executionMode: 'sequential',
  });
  const { nchw } = tensors(input), images = new ort.Tensor('float32', nchw.data, nchw.shape);
  let out = await session.run({ images });
  if (+repeat === 0) return;
  await session.run({ images });
  const seconds = [];
  for (let i = 0; i < +repeat; i++) {
    const begin = performance.now();
    out = await session.run({ images });
    seconds.push((performance.now() - begin) / 1000);
  }
  const peak_mb = process.resourceUsage().maxRSS / 1024, want = tensors(reference);
  const off = Math.max(...['logits', 'deltas'].map(k => difference(out[k].data, want[k].data)));
  console.log(JSON.stringify({ seconds, peak_mb, difference: off }));
})().catch(e => { console.error(e.message); process.exit(1); });
