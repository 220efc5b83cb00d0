// Detects objects with the ONNX model beside this file, in Node.js or, through the page beside it, in a browser.
//
//     npm install onnxruntime-node sharp
//     node THIS_FILE IMAGE [ANNOTATED_IMAGE]
//
// Prints one line per object, best first: class, score, x1, y1, x2, y2 in pixels of the image, separated by tabs.

export const model = {{json .Model}};
export const classes = {{json .Classes}};
const leastScores = {{json .Scores}}; // to report, by class
{{- if .Boxes}}
const nmsIoU = {{json .NMS}}; // above it, two boxes are of one object
const maxDetections = {{.Max}};
{{- end}}
{{- if not .Preprocess}}
const shortSide = {{.Short}}, longSide = {{.Long}}; // of an image on the canvas, in pixels; the long side is a bound
{{- if .H}}
const canvasHeight = {{.H}}, canvasWidth = {{.W}};
{{- else}}
const multiple = {{.Multiple}}; // of the canvas's sides
{{- end}}
const mean = {{json .Mean}}, std = {{json .Std}};

// resized returns the height and width of an image on the canvas. The scale is a float32, as in training.
function resized(height, width) {
  const scale = (side, have) => Math.fround(Math.fround(1 / have) * side);
  const s = Math.min(scale(shortSide, Math.min(height, width)), scale(longSide, Math.max(height, width)){{if .H}}, scale(canvasHeight, height), scale(canvasWidth, width){{end}});
  return [Math.max(Math.floor(height * s), 1), Math.max(Math.floor(width * s), 1)];
}

// neighbours returns, for each of `to` pixels, the two nearest of `have` pixels and the weight of the second.
function neighbours(to, have) {
  const ratio = Math.fround(have / to);
  return Array.from({ length: to }, (_, i) => {
    const x = Math.max((i + 0.5) * ratio - 0.5, 0), first = Math.min(Math.floor(x), have - 1);
    return [first, Math.min(first + 1, have - 1), Math.min(x - first, 1)];
  });
}

// prepare scales RGBA bytes bilinearly, normalises them and puts them at the top left of a canvas of zeros [1,3,H,W].
function prepare({ width, height, data }) {
  const [h, w] = resized(height, width);
  {{- if .H}}
  const canvasH = canvasHeight, canvasW = canvasWidth;
  {{- else}}
  const canvasH = Math.ceil(h / multiple) * multiple, canvasW = Math.ceil(w / multiple) * multiple;
  {{- end}}
  const canvas = new Float32Array(3 * canvasH * canvasW);
  const ys = neighbours(h, height), xs = neighbours(w, width);
  for (let y = 0; y < h; y++) {
    const [y0, y1, ty] = ys[y];
    for (let x = 0; x < w; x++) {
      const [x0, x1, tx] = xs[x];
      for (let c = 0; c < 3; c++) {
        const at = (i, j) => data[4 * (i * width + j) + c];
        const left = at(y0, x0) + ty * (at(y1, x0) - at(y0, x0)), right = at(y0, x1) + ty * (at(y1, x1) - at(y0, x1));
        canvas[(c * canvasH + y) * canvasW + x] = ((left + tx * (right - left)) / 255 - mean[c]) / std[c];
      }
    }
  }
  return { canvas, dims: [1, 3, canvasH, canvasW], h, w };
}
{{- end}}
{{- if .Boxes}}

// nms keeps the best of the objects that overlap{{if not .Agnostic}}, in each class{{end}}.
function nms(objects) {
  const area = ([x1, y1, x2, y2]) => (x2 - x1) * (y2 - y1);
  const iou = (a, b) => {
    const both = Math.max(Math.min(a[2], b[2]) - Math.max(a[0], b[0]), 0) * Math.max(Math.min(a[3], b[3]) - Math.max(a[1], b[1]), 0);
    return both / (area(a) + area(b) - both);
  };
  const kept = [];
  for (const o of objects.sort((a, b) => b.score - a.score)) {
    if (kept.length === maxDetections) break;
    if (!kept.some((k) => {{if not .Agnostic}}k.label === o.label && {{end}}iou(k.box, o.box) > nmsIoU)) kept.push(o);
  }
  return kept;
}
{{- end}}

// detect returns the objects {label, score, box: [x1, y1, x2, y2]} in an image, best first, with boxes in pixels of the image. ort is the
// module of ONNX Runtime, session one of its sessions with the model. The image is {width, height, data}, RGBA bytes as in ImageData.
export async function detect(ort, session, picture) {
  const { width, height{{if .Preprocess}}, data{{end}} } = picture;
  {{- if .Preprocess}}
  const rgb = new Uint8Array(3 * width * height);
  for (let i = 0, j = 0; i < rgb.length; i += 3, j += 4) {
    rgb[i] = data[j];
    rgb[i + 1] = data[j + 1];
    rgb[i + 2] = data[j + 2];
  }
  const out = await session.run({ pictures: new ort.Tensor("uint8", rgb, [1, height, width, 3]) });
  const place = (x, y) => [x, y];
  {{- else}}
  const { canvas, dims, h, w } = prepare(picture);
  const out = await session.run({ images: new ort.Tensor("float32", canvas, dims) });
  const place = (x, y) => [Math.min(x, w) * width / w, Math.min(y, h) * height / h];
  {{- end}}
  const boxes = out.boxes.data, scores = out.scores.data, objects = [];
  const take = (row, label, score) => {
    const [x1, y1, x2, y2] = boxes.subarray(4 * row, 4 * row + 4);
    const box = [...place(x1, y1), ...place(x2, y2)];
    if (score >= Math.fround(leastScores[label]) && box[2] > box[0] && box[3] > box[1]) objects.push({ label, score, box });
  };
  {{- if .Boxes}}
  for (let i = 0; i < scores.length; i++) take(Math.floor(i / classes.length), i % classes.length, scores[i]);
  return nms(objects);
  {{- else}}
  for (let i = 0; i < scores.length; i++) take(i, Number(out.labels.data[i]), scores[i]);
  return objects;
  {{- end}}
}

// line is an object as a line of text.
export const line = ({ label, score, box }) => [classes[label], score.toFixed(4), ...box.map((v) => v.toFixed(2))].join("\t");

// main is the program for Node.js.
async function main([source, annotated]) {
  if (!source) throw new Error("give an IMAGE, and a second name for an annotated copy");
  const { default: ort } = await import("onnxruntime-node");
  const { default: sharp } = await import("sharp");
  const { fileURLToPath } = await import("node:url");
  const image = sharp(source, { ignoreIcc: true }).rotate(); // upright
  const { data, info } = await image.clone().toColourspace("srgb").ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  const session = await ort.InferenceSession.create(fileURLToPath(new URL(encodeURIComponent(model), import.meta.url)));
  const objects = await detect(ort, session, { width: info.width, height: info.height, data });
  for (const o of objects) console.log(line(o));
  if (!annotated) return;
  const plain = (text) => text.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`);
  const marks = objects.map(({ label, score, box: [x1, y1, x2, y2] }) =>
    `<rect x="${x1}" y="${y1}" width="${x2 - x1}" height="${y2 - y1}" fill="none" stroke="red" stroke-width="2"/>` +
    `<text x="${x1 + 4}" y="${y1 + 14}" font-family="sans-serif" font-size="13" fill="red">${plain(classes[label])} ${score.toFixed(2)}</text>`);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${info.width}" height="${info.height}">${marks.join("")}</svg>`;
  await image.composite([{ input: Buffer.from(svg) }]).toFile(annotated);
}

if (globalThis.process?.versions?.node) {
  const { realpathSync } = await import("node:fs");
  const { fileURLToPath } = await import("node:url");
  if (process.argv[1] && realpathSync(process.argv[1]) === realpathSync(fileURLToPath(import.meta.url))) await main(process.argv.slice(2));
}
