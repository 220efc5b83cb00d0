// Boxes, as packages box and anchors compute with them: x1, y1, x2, y2.
#ifndef RETINAGO_BOXES_H
#define RETINAGO_BOXES_H
#include "elementary.h"

DEVICE float clip(float v, float most) {
  v = v < 0 ? 0 : v;
  return v > most ? most : v; // not a number stays that
}

// decode_box is the box of deltas d at anchor a, with weights 1 and sizes up to 1000/16 of the anchor's, clipped to w x h.
DEVICE void decode_box(float *to, const float *a, const float *d, float w, float h) {
  float aw = a[2] - a[0], ah = a[3] - a[1];
  float x = exact(d[0], aw) + (a[0] + aw / 2), y = exact(d[1], ah) + (a[1] + ah / 2);
  float bw = exact((float)exp_wide(d[2] > BOX_CLAMP ? BOX_CLAMP : d[2]), aw) / 2, bh = exact((float)exp_wide(d[3] > BOX_CLAMP ? BOX_CLAMP : d[3]), ah) / 2;
  to[0] = clip(x - bw, w);
  to[1] = clip(y - bh, h);
  to[2] = clip(x + bw, w);
  to[3] = clip(y + bh, h);
}

#endif
