// Adaptive assignment (anchors.ATSS; Zhang et al. 2020, algorithm 1) for N images. Sums are taken in the host's order and digits.
#include "targets.h"

typedef unsigned u32;

enum { DIGITS = 256 };

DEVICE double middle(float a, float b) { return ((double)a + b) / 2; }

// far_of is the squared distance of the centres of an anchor and an object, as bits, which ascend as it does.
DEVICE u64 far_of(const float *a, const struct target *t) {
  double x = middle(a[0], a[2]) - middle(t->x1, t->x2), y = middle(a[1], a[3]) - middle(t->y1, t->y2);
  union {
    double f;
    u64 i;
  } v;
  v.f = exact_wide(x, x) + exact_wide(y, y);
  return v.i;
}

// The k anchors of each level whose centres are nearest to each object's: found [objects, levels, k], by distance and then by place, by
// radix selection over both. A block is of one object (x) and level (y).
KERNEL atss_nearest(int *found, const float *anchors, const int *words, i64 pictures, int levels, int k) {
  SHARED u64 keys[MOST_NEAREST];
  SHARED int places[MOST_NEAREST], bins[DIGITS];
  SHARED u64 edge[2]; // distance and place that are not exceeded, or their digits so far
  SHARED int left, taken;
  const struct target *t = (const struct target *)(words + levels + 1 + pictures + 1) + BLOCK_X;
  if (t->crowd) return;
  int first = words[BLOCK_Y], size = words[BLOCK_Y + 1] - first, want = k < size ? k : size;
  const float *all = anchors + 4 * (i64)first;
  if (TID == 0) {
    edge[0] = edge[1] = 0;
    left = want;
    taken = 0;
  }
  for (int digit = 0; digit < 12; digit++) { // eight of the distance, four of the place
    int part = digit >= 8, shift = part ? 8 * (11 - digit) : 8 * (7 - digit), above = shift + 8;
    for (int b = TID; b < DIGITS; b += THREADS) bins[b] = 0;
    SYNC();
    for (int i = TID; i < size; i += THREADS) {
      u64 v = far_of(all + 4 * (i64)i, t);
      if (part) {
        if (v != edge[0]) continue;
        v = (u64)i;
      }
      if (above == 64 || v >> above == edge[part] >> above) ATOMIC_ADD(&bins[v >> shift & (DIGITS - 1)], 1);
    }
    SYNC();
    if (TID == 0) {
      int b = 0;
      while (b < DIGITS - 1 && bins[b] < left) left -= bins[b++];
      edge[part] |= (u64)b << shift;
    }
    SYNC();
  }
  for (int i = TID; i < size; i += THREADS) {
    u64 v = far_of(all + 4 * (i64)i, t);
    if (v > edge[0] || (v == edge[0] && (u64)i > edge[1])) continue;
    int at = ATOMIC_ADD(&taken, 1);
    keys[at] = v;
    places[at] = i;
  }
  SYNC();
  int *to = found + (BLOCK_X * levels + BLOCK_Y) * k;
  for (int s = TID; s < want; s += THREADS) {
    int rank = 0;
    for (int o = 0; o < want; o++) rank += keys[o] < keys[s] || (keys[o] == keys[s] && places[o] < places[s]);
    to[rank] = first + places[s];
  }
}

// Each object claims the candidates whose IoU is at least the mean plus the deviation of all of them, and whose centre lies inside of
// it: best [images, anchors] is the highest IoU's bits over the complement of its object's number in the image, so that of equal
// ones the first object's is the highest; 0 to begin with. A block is of one object.
KERNEL atss_claim(u64 *best, const int *found, const float *anchors, const int *words, i64 pictures, int levels, int k) {
  SHARED float overlaps[MOST_LEVELS * MOST_NEAREST];
  SHARED double least;
  const int *first = words + levels + 1;
  const struct target *t = (const struct target *)(first + pictures + 1) + BLOCK_X;
  if (t->crowd) return;
  int picture = 0, n = 0;
  while (BLOCK_X >= first[picture + 1]) picture++;
  for (int l = 0; l < levels; l++) {
    int size = words[l + 1] - words[l], want = k < size ? k : size;
    const int *from = found + (BLOCK_X * levels + l) * k;
    for (int s = TID; s < want; s += THREADS) {
      const float *a = anchors + 4 * (i64)from[s];
      overlaps[n + s] = apart(a, t) ? 0 : overlap_of(a, t);
    }
    n += want;
  }
  SYNC();
  if (TID == 0) {
    double sum = 0, squares = 0;
    for (int s = 0; s < n; s++) sum += overlaps[s];
    double mean = sum / n;
    for (int s = 0; s < n; s++) {
      double d = overlaps[s] - mean;
      squares += exact_wide(d, d);
    }
    least = mean + SQRTD(squares / (n > 2 ? n - 1 : 1));
  }
  SYNC();
  i64 of_picture = (i64)picture * words[levels];
  n = 0;
  for (int l = 0; l < levels; l++) {
    int size = words[l + 1] - words[l], want = k < size ? k : size;
    const int *from = found + (BLOCK_X * levels + l) * k;
    for (int s = TID; s < want; s += THREADS) {
      const float *a = anchors + 4 * (i64)from[s];
      double x = middle(a[0], a[2]), y = middle(a[1], a[3]);
      const double inner = .01; // px
      if (!(x - t->x1 > inner && y - t->y1 > inner && t->x2 - x > inner && t->y2 - y > inner)) continue;
      union {
        float f;
        u32 i;
      } v;
      v.f = overlaps[n + s];
      if (v.f > 0 && v.f >= least) ATOMIC_MAX_WIDE(&best[of_picture + from[s]], (u64)v.i << 32 | (u32)~(u32)(BLOCK_X - first[picture]));
    }
    n += want;
  }
}

// What each anchor learns of best; the rest is assign's.
KERNEL atss(int *counts, const u64 *best, const float *anchors, const int *words, i64 pictures, int levels, float crowd, int *l0, int *l1, int *l2, int *l3, int *l4, int *l5, int *l6,
            int *l7, float *d0, float *d1, float *d2, float *d3, float *d4, float *d5, float *d6, float *d7) {
  SHARED int mine[2];
  int from, to;
  const struct target *all = targets_in(words, pictures, levels, &from, &to);
  if (TID == 0) mine[0] = mine[1] = 0;
  SYNC();
  EACH(i, words[levels]) {
    const float *a = anchors + 4 * i;
    u64 key = best[BLOCK_Y * words[levels] + i];
    const struct target *of = key ? &all[from + (int)~(u32)key] : 0;
    int label = of ? of->label : BACKGROUND;
    for (int g = to - 1; label == BACKGROUND && g >= from && all[g].crowd; g--)
      if (inside(a, &all[g], crowd)) label = IGNORED;
    learn(i, label, of, a, words, mine, l0, l1, l2, l3, l4, l5, l6, l7, d0, d1, d2, d3, d4, d5, d6, d7);
  }
  tally(counts, mine);
}
