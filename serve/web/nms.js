// What the server does with candidates, in its arithmetic: every product, sum and quotient is rounded to float32, so that
// the same boxes stay.
const f = Math.fround;

// The methods that thin knows. For others the server is asked.
export const methods = ["greedy", "agnostic"];

// area of boxes [x1, y1, x2, y2, ...] at i.
const area = (b, i) => f(f(b[i + 2] - b[i]) * f(b[i + 3] - b[i + 1]));

// iou of two boxes at i and j; not a number, and so above nothing, where the union is 0.
function iou(b, i, j) {
  const w = f(Math.min(b[i + 2], b[j + 2]) - Math.max(b[i], b[j]));
  const h = f(Math.min(b[i + 3], b[j + 3]) - Math.max(b[i + 1], b[j + 1]));
  if (!(w > 0 && h > 0)) return 0;
  const inter = f(w * h);
  return f(inter / f(f(area(b, i) + area(b, j)) - inter));
}

// thin keeps of candidates (as in openapi.json) those above a score, of the classes for which on is true, that no better one
// overlaps by more than an IoU: at most max, best first, in pixels of the picture.
export function thin(candidates, { score, nms, method, max, on }) {
  const boxes = Float32Array.from(candidates.boxes), scores = Float32Array.from(candidates.scores), classes = candidates.classes;
  const least = f(score), overlap = f(nms), [sx, sy] = candidates.scale.map(f);
  const order = [];
  for (let i = 0; i < scores.length; i++) if (scores[i] > least && on(classes[i])) order.push(i);
  order.sort((i, j) => scores[j] - scores[i] || i - j);
  const kept = [];
  for (const i of order) {
    if (kept.length === max) break;
    if (!kept.some((j) => (method === "agnostic" || classes[i] === classes[j]) && iou(boxes, 4 * j, 4 * i) > overlap)) kept.push(i);
  }
  return kept.map((i) => ({
    box: [f(boxes[4 * i] * sx), f(boxes[4 * i + 1] * sy), f(boxes[4 * i + 2] * sx), f(boxes[4 * i + 3] * sy)],
    class: classes[i],
    score: scores[i],
  }));
}
