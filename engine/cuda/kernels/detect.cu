// From logits and deltas to detections: the largest logits of each level, boxes of them, greedy NMS. What threads find in any order
// is sorted by keys that all differ, so that results do not depend on the order.
//
// A segment is a level of an image: image * levels + level. Its logits count as places, classes fastest. A key ascends as logits
// fall and, with equal logits, as places ascend; the least keys are found by radix selection, from the highest digit on. Kernels
// after `top_sort` know candidates by number: of an image, those of its levels one after another, k of each.
#include "boxes.h"

typedef unsigned u32;

enum { ROW = 64 };

// table [images, classes, 2]: the floor of each class's logits, the least score of its boxes
struct wanted {
  const struct choice *choices;
  const struct span *spans;
  const float *table;
};

DEVICE struct wanted wanted_in(const void *words, i64 pictures, int levels) {
  struct wanted w;
  w.choices = (const struct choice *)words;
  w.spans = (const struct span *)(w.choices + pictures);
  w.table = (const float *)(w.spans + levels);
  return w;
}

// of_level picks one of eight arguments.
DEVICE const float *of_level(int l, const float *a, const float *b, const float *c, const float *d, const float *e, const float *f, const float *g, const float *h) {
  return l == 0 ? a : l == 1 ? b : l == 2 ? c : l == 3 ? d : l == 4 ? e : l == 5 ? f : l == 6 ? g : h;
}

DEVICE u64 key_of(float logit, i64 place) {
  union {
    float f;
    u32 i;
  } b;
  b.f = logit + 0; // -0 + 0 is 0
  u32 falling = b.i >> 31 ? b.i : ~(b.i | 1u << 31);
  return (u64)falling << 32 | (u64)place;
}

DEVICE float logit_of(u64 key) {
  union {
    float f;
    u32 i;
  } b;
  b.i = (u32)(key >> 32);
  if (!(b.i >> 31)) b.i = ~b.i & ~(1u << 31);
  return b.f;
}

// STRIDES reads a segment's logits, four at a time, and runs its body for those above their floors.
#define STRIDES(body)                                                                                   \
  for (i64 i = BLOCK_X * THREADS + TID, step = BLOCKS_X * THREADS; i < size; i += 4 * step) {           \
    float v[4];                                                                                         \
    for (int j = 0; j < 4; j++) v[j] = i + j * step < size ? x[i + j * step] : -INF;                    \
    for (int j = 0; j < 4; j++) {                                                                       \
      i64 place = i + j * step;                                                                         \
      if (!(v[j] > want.floor && (!floors || v[j] > floors[2 * (int)(place % classes)]))) continue;     \
      u64 key = key_of(v[j], place);                                                                    \
      body                                                                                              \
    }                                                                                                   \
  }

// Counts the keys that begin with the edge's digits, by their next: that of (DIGIT_BINS) at shift. bins [segments, DIGIT_BINS].
KERNEL top_count(int *bins, const struct selection *selections, const void *words, i64 pictures, int levels, int classes, int above, int shift, const float *l0, const float *l1,
                 const float *l2, const float *l3, const float *l4, const float *l5, const float *l6, const float *l7) {
  SHARED int mine[DIGIT_BINS];
  int picture = (int)(BLOCK_Y / levels), level = (int)(BLOCK_Y % levels);
  struct wanted w = wanted_in(words, pictures, levels);
  struct choice want = w.choices[picture];
  i64 size = (i64)w.spans[level].anchors * classes;
  u64 edge = selections[BLOCK_Y].edge;
  if (selections[BLOCK_Y].done || want.top <= 0 || BLOCK_X * THREADS >= size) return;
  for (int b = TID; b < DIGIT_BINS; b += THREADS) mine[b] = 0;
  SYNC();
  const float *x = of_level(level, l0, l1, l2, l3, l4, l5, l6, l7) + picture * size;
  const float *floors = want.by_class ? w.table + 2 * (i64)picture * classes : 0;
  STRIDES({
    if (above == 64 || key >> above == edge >> above) ATOMIC_ADD(&mine[(key >> shift) & (((u64)1 << (above - shift)) - 1)], 1);
  })
  SYNC();
  for (int b = TID; b < DIGIT_BINS; b += THREADS)
    if (mine[b]) ATOMIC_ADD(&bins[BLOCK_Y * DIGIT_BINS + b], mine[b]);
}

// Finds the digit that the edge goes on with, and clears the bins. One block for each segment. Up to room keys may be found.
KERNEL top_narrow(struct selection *selections, int *bins, const void *words, i64 pictures, int levels, int above, int shift, int room) {
  SHARED int sums[MOST_THREADS];
  struct selection *s = selections + BLOCK_X, was = *s;
  int *mine = bins + BLOCK_X * DIGIT_BINS;
  if (was.done) return;
  if (above == 64) was.left = wanted_in(words, pictures, levels).choices[BLOCK_X / levels].top;
  int each = (DIGIT_BINS + THREADS - 1) / THREADS, from = TID * each, to = from + each < DIGIT_BINS ? from + each : DIGIT_BINS, own = 0;
  for (int b = from; b < to; b++) own += mine[b];
  sums[TID] = own;
  SYNC(); // after it no thread reads *s
  int before = 0, all = 0;
  for (int t = 0; t < THREADS; t++) {
    before += t < TID ? sums[t] : 0;
    all += sums[t];
  }
  if (TID == 0 && all < was.left) { // all are wanted
    s->edge = ~(u64)0;
    s->done = 1;
  }
  if (was.left <= 0) {
    if (TID == 0) s->done = 1; // and none is as low as the edge, 0
  } else if (before < was.left && was.left <= before + own) {
    int b = from;
    for (; before + mine[b] < was.left; b++) before += mine[b];
    u64 edge = was.edge | (u64)b << shift;
    s->left = was.left - before;
    s->sure = was.sure + before;
    s->done = s->sure + mine[b] <= room;
    s->edge = s->done ? edge | (((u64)1 << shift) - 1) : edge;
  }
  SYNC();
  for (int b = from; b < to; b++) mine[b] = 0;
}

// Collects the keys up to the edge, in any order. keys [segments, room].
KERNEL top_take(u64 *keys, struct selection *selections, const void *words, i64 pictures, int levels, int classes, int room, const float *l0, const float *l1, const float *l2,
                const float *l3, const float *l4, const float *l5, const float *l6, const float *l7) {
  int picture = (int)(BLOCK_Y / levels), level = (int)(BLOCK_Y % levels);
  struct wanted w = wanted_in(words, pictures, levels);
  struct choice want = w.choices[picture];
  struct selection *s = selections + BLOCK_Y;
  i64 size = (i64)w.spans[level].anchors * classes;
  u64 edge = s->edge;
  if (edge == 0) return;
  const float *x = of_level(level, l0, l1, l2, l3, l4, l5, l6, l7) + picture * size;
  const float *floors = want.by_class ? w.table + 2 * (i64)picture * classes : 0;
  STRIDES({
    if (key <= edge) keys[BLOCK_Y * room + ATOMIC_ADD(&s->found, 1)] = key;
  })
}

// Sorts the keys of each segment, a block for each: Batcher's bitonic network, in shared memory where they fit.
KERNEL top_sort(u64 *keys, struct selection *selections, const void *words, i64 pictures, int levels, int room) {
  SHARED u64 near[2048];
  struct selection *s = selections + BLOCK_X;
  u64 *far = keys + BLOCK_X * room, *v = far;
  int n = s->found, all = 1;
  while (all < n) all *= 2; // up to room, which is a power of two
  if (all <= 2048) v = near;
  for (int i = TID; i < all; i += THREADS) v[i] = i < n ? far[i] : ~(u64)0;
  SYNC();
  for (int size = 2; size <= all; size *= 2)
    for (int half = size / 2; half > 0; half /= 2) {
      for (int t = TID; t < all / 2; t += THREADS) {
        int i = t / half * 2 * half + t % half, j = i + half;
        u64 a = v[i], b = v[j];
        if ((a > b) == !(i & size)) {
          v[i] = b;
          v[j] = a;
        }
      }
      SYNC();
    }
  if (v == near)
    for (int i = TID; i < n; i += THREADS) far[i] = near[i];
  int top = wanted_in(words, pictures, levels).choices[BLOCK_X / levels].top;
  if (TID == 0 && n > top) s->found = top;
}

// candidates [images, levels, k, FOUND_COLUMNS]: box, score, class. One that is none has class -1; those after the last of a level score -INF.
KERNEL top_decode(float *candidates, const u64 *keys, const struct selection *selections, const void *words, const float *anchors, i64 pictures, int levels, int classes, int room,
                  int k, const float *d0, const float *d1, const float *d2, const float *d3, const float *d4, const float *d5, const float *d6, const float *d7) {
  struct wanted w = wanted_in(words, pictures, levels);
  EACH(i, pictures * levels * k) {
    i64 segment = i / k, rank = i % k;
    int picture = (int)(segment / levels), level = (int)(segment % levels);
    float *to = candidates + i * FOUND_COLUMNS;
    if (rank >= selections[segment].found) {
      for (int c = 0; c < 4; c++) to[c] = 0;
      to[4] = -INF;
      to[5] = -1;
      continue;
    }
    struct choice want = w.choices[picture];
    struct span span = w.spans[level];
    u64 key = keys[segment * room + rank];
    i64 place = (u32)key, anchor = place / classes;
    int label = (int)(place % classes);
    const float *d = of_level(level, d0, d1, d2, d3, d4, d5, d6, d7) + 4 * ((i64)picture * span.anchors + anchor);
    decode_box(to, anchors + 4 * (span.first + anchor), d, want.w, want.h);
    to[4] = (float)(1 / (1 + exp_wide(-(double)logit_of(key))));
    to[5] = want.by_class && w.table[2 * ((i64)picture * classes + label) + 1] == INF ? -1 : label;
  }
}

// The order of each image's candidates by falling score, equal ones by number: places [images, levels*k] of numbers. Every level is in
// order, so that a candidate's place is the sum of those that each level has before it.
KERNEL order_scores(int *places, const float *candidates, const struct selection *selections, i64 pictures, int levels, int k) {
  EACH(i, pictures * levels * k) {
    i64 segment = i / k, picture = segment / levels;
    int rank = (int)(i % k), level = (int)(segment % levels), place = rank;
    if (rank >= selections[segment].found) continue;
    float score = candidates[i * FOUND_COLUMNS + 4];
    for (int l = 0; l < levels; l++) {
      if (l == level) continue;
      const float *other = candidates + (picture * levels + l) * k * FOUND_COLUMNS + 4;
      int lo = 0, hi = selections[picture * levels + l].found;
      while (lo < hi) {
        int mid = (lo + hi) / 2;
        float v = other[(i64)mid * FOUND_COLUMNS];
        if (v > score || (v == score && l < level)) lo = mid + 1;
        else hi = mid;
      }
      place += lo;
    }
    places[picture * levels * k + place] = (int)(level * k + rank);
  }
}

// above says whether the IoU of two boxes is above a threshold, as nms.above does. 0/0 is not above anything.
DEVICE int above_iou(const struct object *a, const struct object *b, float iou) {
  float x1 = a->x1 > b->x1 ? a->x1 : b->x1, y1 = a->y1 > b->y1 ? a->y1 : b->y1;
  float x2 = a->x2 < b->x2 ? a->x2 : b->x2, y2 = a->y2 < b->y2 ? a->y2 : b->y2;
  float w = x2 - x1, h = y2 - y1;
  if (!(w > 0 && h > 0)) return 0;
  float inter = exact(w, h);
  return inter / (a->area + b->area - inter) > iou;
}

// Greedy NMS of each image, a block for each: ROW candidates at a time, in their order, against those that are kept, then against each
// other by a mask of ROW x ROW bits; it ends with the last box that is wanted. kept [images, levels*k] is scratch space;
// out [images, 1 + most*FOUND_COLUMNS] the number of boxes and these.
KERNEL thin(float *out, struct object *kept, const float *candidates, const int *places, const struct selection *selections, const void *words, i64 pictures, int levels, int classes,
            int k, int most) {
  SHARED struct object row[ROW];
  SHARED int number[ROW], alive[ROW], state[3]; // state: kept, written, full
  SHARED unsigned short hits[ROW * ROW / 16];
  i64 picture = BLOCK_X;
  struct wanted w = wanted_in(words, pictures, levels);
  struct choice want = w.choices[picture];
  const float *table = want.by_class ? w.table + 2 * picture * classes : 0;
  candidates += picture * levels * k * FOUND_COLUMNS;
  places += picture * levels * k;
  kept += picture * levels * k;
  out += picture * (1 + (i64)most * FOUND_COLUMNS);
  int all = 0;
  for (int l = 0; l < levels; l++) all += selections[picture * levels + l].found;
  for (int t = TID; t < 3; t += THREADS) state[t] = 0;
  for (int from = 0; from < all; from += ROW) {
    for (int t = TID; t < ROW; t += THREADS) {
      alive[t] = 0;
      if (from + t >= all) continue;
      number[t] = places[from + t];
      const float *c = candidates + (i64)number[t] * FOUND_COLUMNS;
      row[t].x1 = c[0];
      row[t].y1 = c[1];
      row[t].x2 = c[2];
      row[t].y2 = c[3];
      row[t].area = exact(c[2] - c[0], c[3] - c[1]);
      row[t].label = want.agnostic ? 0 : (int)c[5];
      alive[t] = c[5] >= 0 && c[0] == c[0] && c[1] == c[1] && c[2] == c[2] && c[3] == c[3];
    }
    SYNC();
    int old = state[0];
    for (int p = TID; p < 4 * ROW; p += THREADS) {
      int t = p % ROW;
      for (int q = p / ROW; q < old && alive[t]; q += 4)
        if (kept[q].label == row[t].label && above_iou(&kept[q], &row[t], want.iou)) alive[t] = 0;
    }
    SYNC();
    for (int p = TID; p < ROW * ROW / 16; p += THREADS) {
      int r = p % ROW, first = p / ROW * 16;
      unsigned bits = 0;
      for (int c = first; alive[r] && c < first + 16; c++)
        if (c > r && alive[c] && row[c].label == row[r].label && above_iou(&row[r], &row[c], want.iou)) bits |= 1u << (c - first);
      hits[p] = (unsigned short)bits;
    }
    SYNC();
    if (TID == 0) {
      u64 gone = 0;
      int n = old, written = state[1];
      for (int r = 0; r < ROW && !state[2]; r++) {
        if (!alive[r] || (gone >> r & 1)) continue;
        for (int c = 0; c < ROW / 16; c++) gone |= (u64)hits[c * ROW + r] << (16 * c);
        kept[n++] = row[r];
        const float *c = candidates + (i64)number[r] * FOUND_COLUMNS;
        if (table && c[4] < table[2 * (int)c[5] + 1]) continue;
        for (int j = 0; j < FOUND_COLUMNS; j++) out[1 + (i64)written * FOUND_COLUMNS + j] = c[j];
        state[2] = ++written == (want.most > 0 ? want.most : most);
      }
      state[0] = n;
      state[1] = written;
    }
    SYNC();
    if (state[2]) break;
  }
  if (TID == 0) out[0] = (float)(all > 0 ? state[1] : 0);
}
