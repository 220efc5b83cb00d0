// Matching of anchors and objects by IoU (anchors.Matcher) for N images. A thread is of an anchor.
#include "targets.h"

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

// counts [images, 2]: positive anchors and those that are not ignored, 0 to begin with. low says whether anchors with an object's
// highest IoU are positive too; tops is read then.
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
    int label = best >= foreground && matched >= 0 ? all[matched].label : best < background ? BACKGROUND : IGNORED;
    if (lowest) label = all[matched].label;
    for (; label == BACKGROUND && g < to; g++)
      if (inside(a, &all[g], crowd)) label = IGNORED;
    learn(i, label, matched >= 0 ? &all[matched] : 0, a, words, mine, l0, l1, l2, l3, l4, l5, l6, l7, d0, d1, d2, d3, d4, d5, d6, d7);
  }
  tally(counts, mine);
}

// Factors of each image's losses (loss.Normalizer): 1 over the positive anchors of all, of the image times their number
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

// The same with a moving average of the positive anchors of all, in place of their number. One block.
KERNEL assign_average(double *average, float *of_class, float *of_box, const int *counts, int n, float box_weight) {
  int sum = 0;
  for (int p = 0; p < n; p++) sum += counts[2 * p];
  double next = exact_wide(.9, *average) + exact_wide(.1, sum > 1 ? sum : 1);
  SYNC(); // after it no thread reads the old one
  if (TID == 0) *average = next;
  float f = (float)(1 / (next > 1 ? next : 1));
  for (int i = TID; i < n; i += THREADS) {
    of_class[i] = f;
    of_box[i] = exact(f, box_weight);
  }
}
