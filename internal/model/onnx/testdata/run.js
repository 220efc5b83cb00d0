// Runs an ONNX model in ONNX Runtime: node run.js MODEL INPUT N H W OUT
// INPUT is images [N,3,H,W] in raw float32; OUT gets a JSON object {name: {dims, data}}.
const ort = require('onnxruntime-node'), fs = require('fs');
const [model, input, n, h, w, out] = process.argv.slice(2);
(async () => {
  const session = await ort.InferenceSession.create(model, { executionProviders: ['cpu'] });
  const b = fs.readFileSync(input);
  const images = new ort.Tensor('float32', new Float32Array(b.buffer, b.byteOffset, b.length / 4), [+n, 3, +h, +w]);
  const results = await session.run({ images });
  const o = {};
  for (const [name, t] of Object.entries(results)) o[name] = { dims: t.dims, data: Array.from(t.data, Number) };
  fs.writeFileSync(out, JSON.stringify(o));
})().catch(e => { console.error(e.message); process.exit(1); });
