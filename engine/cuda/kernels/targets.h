// What anchors learn: objects and crowd regions of N images, and where labels and deltas go. IoU has the host's digits, so that ties
// are the same. A block is of one image (y) where nothing else is said.
#ifndef RETINAGO_TARGETS_H
#define RETINAGO_TARGETS_H
#include "boxes.h"

// words: the first anchor of each level and their number, [levels+1]; the first object of each image and their number, [images+1];
// the objects.
DEVICE const struct target *targets_in(const int *words, i64 pictures, int levels, int *from, int *to) {
  const int *first = words + levels + 1;
  *from = first[BLOCK_Y];
  *to = first[BLOCK_Y + 1];
  return (const struct target *)(first + pictures + 1);
}

DEVICE int apart(const float *a, const struct target *b) { return a[2] <= b->x1 || a[0] >= b->x2 || a[3] <= b->y1 || a[1] >= b->y2; }

// overlap_of is the IoU of boxes that meet.
DEVICE float overlap_of(const float *a, const struct target *b) {
  float w = (a[2] < b->x2 ? a[2] : b->x2) - (a[0] > b->x1 ? a[0] : b->x1), h = (a[3] < b->y2 ? a[3] : b->y2) - (a[1] > b->y1 ? a[1] : b->y1);
  float inter = exact(w, h);
  return inter / (b->area + exact(a[2] - a[0], a[3] - a[1]) - inter);
}

DEVICE float product_of_sides(float w, float h) { return exact(w > 0 ? w : 0, h > 0 ? h : 0); }

// inside reports whether a share of an anchor lies in a crowd region.
DEVICE int inside(const float *a, const struct target *b, float least) {
  float w = (a[2] < b->x2 ? a[2] : b->x2) - (a[0] > b->x1 ? a[0] : b->x1), h = (a[3] < b->y2 ? a[3] : b->y2) - (a[1] > b->y1 ? a[1] : b->y1);
  float area = product_of_sides(w, h);
  return area > 0 && area >= exact(least, product_of_sides(a[2] - a[0], a[3] - a[1]));
}

// delta_of are the deltas of an object at an anchor (anchors.Coder, weights 1).
DEVICE void delta_of(float *to, const float *a, const struct target *b) {
  float aw = a[2] - a[0], ah = a[3] - a[1], w = b->x2 - b->x1, h = b->y2 - b->y1;
  to[0] = (b->x1 + w / 2 - (a[0] + aw / 2)) / aw;
  to[1] = (b->y1 + h / 2 - (a[1] + ah / 2)) / ah;
  to[2] = (float)log_wide(w / aw);
  to[3] = (float)log_wide(h / ah);
}

// learn writes an anchor's label, and the deltas of its object, which may be NULL where the label is no class. labels and deltas of each
// level are [images, anchors of the level] and [.., 4]. mine counts positive anchors and those that are not ignored.
DEVICE void learn(i64 i, int label, const struct target *of, const float *a, const int *words, int *mine, int *l0, int *l1, int *l2, int *l3, int *l4, int *l5, int *l6, int *l7,
                  float *d0, float *d1, float *d2, float *d3, float *d4, float *d5, float *d6, float *d7) {
  int level = 0;
  while (i >= words[level + 1]) level++;
  i64 at = BLOCK_Y * (words[level + 1] - words[level]) + i - words[level];
  int *labels = level == 0 ? l0 : level == 1 ? l1 : level == 2 ? l2 : level == 3 ? l3 : level == 4 ? l4 : level == 5 ? l5 : level == 6 ? l6 : l7;
  float *deltas = level == 0 ? d0 : level == 1 ? d1 : level == 2 ? d2 : level == 3 ? d3 : level == 4 ? d4 : level == 5 ? d5 : level == 6 ? d6 : d7;
  labels[at] = label;
  float d[4] = {0, 0, 0, 0};
  if (label >= 0) delta_of(d, a, of);
  for (int c = 0; c < 4; c++) deltas[4 * at + c] = d[c];
  if (label >= 0) ATOMIC_ADD(&mine[0], 1);
  if (label != IGNORED) ATOMIC_ADD(&mine[1], 1);
}

// tally adds a block's counts to those of its image.
DEVICE void tally(int *counts, const int *mine) {
  SYNC();
  for (int c = TID; c < 2; c += THREADS)
    if (mine[c]) ATOMIC_ADD(&counts[2 * BLOCK_Y + c], mine[c]);
}

#endif
