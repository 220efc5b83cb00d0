// Class losses of one binary task per logit: FL* (Lin et al. 2017, appendix A), quality focal loss (Li et al. 2020, eq. 3) and
// varifocal loss (Zhang et al. 2021, eq. 2), forward and backward.
#include "iou.h"

DEVICE void quality_box(float *corners, const float *d, const float *anchor) {
  for (int axis = 0; axis < 2; axis++) {
    float side = anchor[2 + axis] - anchor[axis];
    float centre = d[axis] * side + (anchor[axis] + side / 2), half = (float)exp_wide(lower_of(d[2 + axis], BOX_CLAMP)) * side / 2;
    corners[axis] = centre - half;
    corners[2 + axis] = centre + half;
  }
}

// The IoU of the boxes of two deltas of an anchor.
DEVICE float quality_of(const float *d, const float *target, const float *anchor) {
  float p[4], t[4];
  quality_box(p, d, anchor);
  quality_box(t, target, anchor);
  return iou_of(p, t);
}

// The loss of logit x with target y in (0, 1] and its slope by x.
DEVICE double quality_focal(double x, double y, double beta, double *slope) {
  double p = sigmoid_wide(x), ce = y * softplus_wide(-x) + (1 - y) * softplus_wide(x);
  double d = y < p ? p - y : y - p, w = beta == 2 ? d * d : d > 0 ? exp_wide(beta * log_wide(d)) : beta == 0;
  *slope = w * (p - y);
  if (d > 0) *slope += beta * w / d * (p < y ? -p : p) * (1 - p) * ce;
  return w * ce;
}

DEVICE double varifocal(double x, double q, double *slope) {
  *slope = q * (sigmoid_wide(x) - q);
  return q * (q * softplus_wide(-x) + (1 - q) * softplus_wide(x));
}

// x [n, a, k], labels [n, a]: a class, -1 background, -2 ignored; deltas and targets [n, a, 4] and anchors [a, 4] are read where there is a
// quality. A label that is no class is written to bad, with its place: [place, label]. up is one number, or null for 1.
KERNEL binary(double *part, float *grad, const float *x, const int *labels, const float *deltas, const float *targets, const float *anchors, const float *norm,
              const float *up, i64 *bad, i64 n, i64 a, int k, int form, float alpha, float gamma, float beta) {
  double sum = 0;
  float factor = up ? *up : 1;
  EACH(i, n * a * k) {
    i64 anchor = i / k;
    int label = labels[anchor];
    float g = 0;
    if (label >= BACKGROUND && label < k) {
      int object = label == (int)(i % k);
      float v = x[i], weight = norm[anchor / a], slope;
      float q = object && form != FOCAL_STAR ? quality_of(deltas + 4 * anchor, targets + 4 * anchor, anchors + anchor % a * 4) : 0;
      if (form == FOCAL_STAR) {
        weight *= alpha < 0 ? 1 : object ? alpha : 1 - alpha;
        sum += (double)weight / gamma * background(-(gamma * (object ? v : -v) + beta), 0, &slope);
        g = weight * factor * (object ? -slope : slope);
      } else if (q > 0 || (form == QUALITY_FOCAL && q != q)) {
        double by;
        sum += weight * (form == VARIFOCAL ? varifocal(v, q, &by) : quality_focal(v, q, gamma, &by));
        g = weight * factor * (float)by;
      } else {
        weight *= form == VARIFOCAL ? alpha : 1;
        sum += (double)weight * background(v, gamma, &slope);
        g = weight * factor * slope;
      }
    } else if (label != IGNORED) {
      bad[0] = anchor;
      bad[1] = label;
    }
    if (grad) grad[i] = g;
  }
  sum = block_sum(sum);
  if (TID == 0 && part) part[BLOCK_X] = sum;
}
