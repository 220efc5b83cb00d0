// Losses between decoded boxes, forward and backward: 1-IoU, -log IoU (Yu et al. 2016), GIoU (Rezatofighi et al. 2019), DIoU and CIoU
// (Zheng et al. 2020). They are float64, as in package loss, whose operations these are in their order. Few anchors have an object.
#include "elementary.h"

#define BOX_EPS 1e-7 // of divisions by areas

// A number with its derivatives by x1, y1, x2, y2 of the prediction.
struct vec {
  double v, d[4];
};

DEVICE vec constant(double v) { return {v, {0, 0, 0, 0}}; }

DEVICE vec plus(vec a, vec b, double f) { // a + f b
  a.v += f * b.v;
  for (int i = 0; i < 4; i++) a.d[i] += f * b.d[i];
  return a;
}

DEVICE vec times(vec a, vec b) {
  vec out = {a.v * b.v, {}};
  for (int i = 0; i < 4; i++) out.d[i] = a.d[i] * b.v + a.v * b.d[i];
  return out;
}

DEVICE vec over(vec a, vec b) {
  vec out = {a.v / b.v, {}};
  for (int i = 0; i < 4; i++) out.d[i] = (a.d[i] - out.v * b.d[i]) / b.v;
  return out;
}

DEVICE vec lesser(vec a, vec b) { return b.v < a.v ? b : a; }
DEVICE vec greater(vec a, vec b) { return b.v > a.v ? b : a; }

DEVICE vec box_area(const vec *b) { return times(plus(b[2], b[0], -1), plus(b[3], b[1], -1)); }

// Squared distance of the centres over the squared diagonal of the box around both.
DEVICE vec box_distance(const vec *p, const vec *t, vec outer_w, vec outer_h) {
  vec diagonal = plus(plus(times(outer_w, outer_w), times(outer_h, outer_h), 1), constant(1), BOX_EPS), sum = constant(0);
  for (int axis = 0; axis < 2; axis++) {
    vec d = plus(plus(plus(p[axis], p[axis + 2], 1), t[axis], -1), t[axis + 2], -1);
    sum = plus(sum, times(d, d), .25);
  }
  return over(sum, diagonal);
}

DEVICE vec box_angle(const vec *b) {
  vec w = plus(b[2], b[0], -1), h = plus(b[3], b[1], -1);
  vec out = constant(angle_wide(w.v, h.v));
  double r = w.v * w.v + h.v * h.v;
  if (r > 0)
    for (int i = 0; i < 4; i++) out.d[i] = (w.d[i] * h.v - w.v * h.d[i]) / r;
  return out;
}

// CIoU's v.
DEVICE vec box_aspect(const vec *p, const vec *t) {
  vec d = plus(box_angle(t), box_angle(p), -1);
  return plus(constant(0), times(d, d), .40528473456935109); // 4/pi^2
}

DEVICE vec overlap_of(const float *pred, const float *target, int form) {
  vec p[4], t[4];
  for (int i = 0; i < 4; i++) {
    p[i] = constant(pred[i]);
    p[i].d[i] = 1;
    t[i] = constant(target[i]);
  }
  vec w = plus(lesser(p[2], t[2]), greater(p[0], t[0]), -1), h = plus(lesser(p[3], t[3]), greater(p[1], t[1]), -1);
  vec inter = w.v > 0 && h.v > 0 ? times(w, h) : constant(0);
  vec u = plus(plus(box_area(p), box_area(t), 1), inter, -1);
  vec iou = over(inter, plus(u, constant(1), BOX_EPS));
  if (form == LOG_IOU) {
    vec x = plus(iou, constant(1), BOX_EPS), out = constant(-log_wide(x.v));
    for (int i = 0; i < 4; i++) out.d[i] = -x.d[i] / x.v;
    return out;
  }
  vec loss = plus(constant(1), iou, -1);
  if (form == IOU) return loss;
  vec outer_w = plus(greater(p[2], t[2]), lesser(p[0], t[0]), -1), outer_h = plus(greater(p[3], t[3]), lesser(p[1], t[1]), -1);
  if (form == GIOU) {
    vec outer = times(outer_w, outer_h);
    return plus(loss, over(plus(outer, u, -1), plus(outer, constant(1), BOX_EPS)), 1);
  }
  loss = plus(loss, box_distance(p, t, outer_w, outer_h), 1);
  if (form == DIOU) return loss;
  vec v = box_aspect(p, t);
  return plus(loss, v, v.v / (1 - iou.v + v.v + BOX_EPS)); // the factor is constant
}

// The box of deltas d of an anchor with these sides, whose centre is the origin.
DEVICE void box_around(float *corners, const float *d, const float *sides) {
  for (int axis = 0; axis < 2; axis++) {
    double s = sides[axis], size = d[2 + axis] > BOX_CLAMP ? BOX_CLAMP : d[2 + axis];
    double centre = d[axis] * s, half = exp_wide(size) * s / 2;
    corners[axis] = (float)(centre - half);
    corners[2 + axis] = (float)(centre + half);
  }
}

// deltas and targets [n, a, 4], anchors [a, 4], over anchors whose label [n, a] is a class. A part of the loss per block, and gradients
// where grad is given; up is one number, or null for 1.
KERNEL overlap(double *part, float *grad, const float *deltas, const float *targets, const int *labels, const float *norm, const float *anchors, const float *up,
               i64 n, i64 a, int form) {
  double sum = 0;
  float factor = up ? *up : 1;
  EACH(i, n * a) {
    float g[4] = {0, 0, 0, 0};
    if (labels[i] >= 0) {
      const float *d = deltas + 4 * i, *anchor = anchors + i % a * 4;
      float sides[2] = {anchor[2] - anchor[0], anchor[3] - anchor[1]}, p[4], t[4];
      box_around(p, d, sides);
      box_around(t, targets + 4 * i, sides);
      vec loss = overlap_of(p, t, form);
      double f = norm[i / a];
      sum += f * loss.v;
      for (int axis = 0; axis < 2; axis++) {
        double low = (float)loss.d[axis], high = (float)loss.d[2 + axis];
        g[axis] = (float)(f * sides[axis] * (low + high)) * factor;
        if (d[2 + axis] <= BOX_CLAMP) g[2 + axis] = (float)(f * (high - low) * (p[2 + axis] - p[axis]) / 2) * factor;
      }
    }
    if (grad)
      for (int k = 0; k < 4; k++) grad[4 * i + k] = g[k];
  }
  sum = block_sum(sum);
  if (TID == 0 && part) part[BLOCK_X] = sum;
}
