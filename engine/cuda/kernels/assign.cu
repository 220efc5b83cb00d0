// Matching of anchors and objects by IoU (anchors.Matcher) for N pictures. IoU has the host's digits, so that ties are the same. A
// block is of one picture (y), a thread of an anchor.
#include "boxes.h"

// An object, or a crowd region; 8 words. Those of a picture are in order, its crowd regions after its objects.
struct target {
  float x1, y1, x2, y2, area;
  int label, crowd, unused;
};

// words: the first anchor of each level and their number, [levels+1]; the first object of each picture and their number, [pictures+1];
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

// tops [objects] = the bits of each object's highest IoU, which ascend as it does; 0 to begin with.
KERNEL assign_tops(int *tops, const float *anchors, const int *words, i64 pictures, int levels) {
  int from, to;
  const struct target *all = targets_in(words, pictures, levels, &from, &to);
  EACH(i, words[levels]) {
    const float *a = anchors + 4 * i;
    for (int g = from; g < to && !all[g].crowd; g++) {
      if (apart(a, &all[g])) continue;
      union {
        float f;
        int i;
      } v;
      v.f = overlap_of(a, &all[g]);
      if (v.f > 0 && v.i > tops[g]) ATOMIC_MAX(&tops[g], v.i); // what is read may be old: the maximum is one of all
    }
  }
}

DEVICE float product_of_sides(float w, float h) { return exact(w > 0 ? w : 0, h > 0 ? h : 0); }

// inside tells whether a share of an anchor lies in a crowd region.
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

// labels and deltas of each level, [pictures, anchors of the level] and [.., 4]; counts [pictures, 2]: positive anchors and those that
// are not ignored, 0 to begin with. low tells whether anchors with an object's highest IoU are positive too; tops is read then.
KERNEL assign(int *counts, const int *tops, const float *anchors, const int *words, i64 pictures, int levels, float foreground, float background, float crowd, int low, int *l0, int *l1,
              int *l2, int *l3, int *l4, int *l5, int *l6, int *l7, float *d0, float *d1, float *d2, float *d3, float *d4, float *d5, float *d6, float *d7) {
  SHARED int mine[2];
  int from, to;
  const struct target *all = targets_in(words, pictures, levels, &from, &to);
  if (TID == 0) mine[0] = mine[1] = 0;
  SYNC();
  EACH(i, words[levels]) {
    const float *a = anchors + 4 * i;
    float best = 0;
    int matched = -1, lowest = 0, g = from;
    for (; g < to && !all[g].crowd; g++) {
      if (apart(a, &all[g])) continue;
      union {
        float f;
        int i;
      } v;
      v.f = overlap_of(a, &all[g]);
      if (v.f > best) {
        best = v.f;
        matched = g;
      }
      lowest |= low && v.f > 0 && v.i == tops[g];
    }
    int label = best >= foreground && matched >= 0 ? all[matched].label : best < background ? -1 : -2;
    if (lowest) label = all[matched].label;
    for (; label == -1 && g < to; g++)
      if (inside(a, &all[g], crowd)) label = -2;
    int level = 0;
    while (i >= words[level + 1]) level++;
    i64 at = BLOCK_Y * (words[level + 1] - words[level]) + i - words[level];
    int *labels = level == 0 ? l0 : level == 1 ? l1 : level == 2 ? l2 : level == 3 ? l3 : level == 4 ? l4 : level == 5 ? l5 : level == 6 ? l6 : l7;
    float *deltas = level == 0 ? d0 : level == 1 ? d1 : level == 2 ? d2 : level == 3 ? d3 : level == 4 ? d4 : level == 5 ? d5 : level == 6 ? d6 : d7;
    labels[at] = label;
    float d[4] = {0, 0, 0, 0};
    if (label >= 0) delta_of(d, a, &all[matched]);
    for (int c = 0; c < 4; c++) deltas[4 * at + c] = d[c];
    if (label >= 0) ATOMIC_ADD(&mine[0], 1);
    if (label != -2) ATOMIC_ADD(&mine[1], 1);
  }
  SYNC();
  for (int c = TID; c < 2; c += THREADS)
    if (mine[c]) ATOMIC_ADD(&counts[2 * BLOCK_Y + c], mine[c]);
}

// Factors of each picture's losses (loss.Normalizer): 1 over the positive anchors of all, of the picture times their number
// (by_picture), or the anchors of all that count (counted). A divisor is at least 1.
KERNEL assign_factors(float *of_class, float *of_box, const int *counts, int n, int by_picture, int counted, float box_weight) {
  EACH(i, n) {
    int sum = 0;
    for (int p = 0; p < n; p++) sum += by_picture && p != i ? 0 : counts[2 * p + counted];
    float f = 1 / exact(by_picture ? (float)n : 1.f, (float)(sum > 1 ? sum : 1));
    of_class[i] = f;
    of_box[i] = exact(f, box_weight);
  }
}
