// Intersection over union of boxes x1, y1, x2, y2, in float32 as the host has it.
#ifndef RETINAGO_IOU_H
#define RETINAGO_IOU_H

#include "elementary.h"

DEVICE float area_of(const float *b) { return higher_of(b[2] - b[0], 0) * higher_of(b[3] - b[1], 0); }

DEVICE float iou_of(const float *a, const float *b) {
  float both[4] = {higher_of(a[0], b[0]), higher_of(a[1], b[1]), lower_of(a[2], b[2]), lower_of(a[3], b[3])};
  float inter = area_of(both), u = area_of(a) + area_of(b) - inter;
  return u <= 0 ? 0 : inter / u;
}

#endif
