// Runs an ONNX model in ONNX Runtime: node run.js MODEL INPUT TYPE DIMS OUT [NAME]
// INPUT has the raw elements of the model's one input, of TYPE float32 or uint8 and DIMS N,H,W,C, whose name is NAME if given; OUT gets a JSON object {name: {dims, data}}.
const ort = require('onnxruntime-node'), fs = require('fs');
const [model, input, type, dims, out, name] = process.argv.slice(2);
(async () => {
  const session = await ort.InferenceSession.create(model, { executionProviders: ['cpu'] });
  const b = fs.readFileSync(input);
  const data = type === 'uint8' ? new Uint8Array(b) : new Float32Array(b.buffer, b.byteOffset, b.length / 4);
  const results = await session.run({ [name ?? session.inputNames[0]]: new ort.Tensor(type, data, dims.split(',').map(Number)) });
  const o = {};
  for (const [name, t] of Object.entries(results)) o[name] = { dims: t.dims, data: Array.from(t.data, Number) };
  fs.writeFileSync(out, JSON.stringify(o));
})().catch(e => { console.error(e.message); process.exit(1); });
