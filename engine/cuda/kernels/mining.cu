// Online hard example mining (Shrivastava et al. 2016; Lin et al. 2017, section 5.1): rows are taken one by one, the hardest first and
// equal ones in their order. A launch takes what the launch before found to be hardest, drops what it rules out, and looks for the next.
#include "iou.h"

#define DROPPED __builtin_nanf("") // the key of a row that is no candidate any more

struct candidate {
  float loss;
  int row; // -1 is none
};

DEVICE candidate harder(candidate a, candidate b) {
  return b.row >= 0 && (a.row < 0 || b.loss > a.loss || (b.loss == a.loss && b.row < a.row)) ? b : a;
}

// block_hardest is the hardest candidate of a block, in all its threads.
DEVICE candidate block_hardest(candidate c) {
  SHARED candidate all[MOST_THREADS];
  all[TID] = c;
  SYNC();
  for (int half = THREADS / 2; half > 0; half /= 2) {
    if (TID < half) all[TID] = harder(all[TID], all[TID + half]);
    SYNC();
  }
  c = all[0];
  SYNC();
  return c;
}

DEVICE float mined_weight(int object, float alpha) { return alpha < 0 ? 1 : object ? alpha : 1 - alpha; }

// keys [n, rows], of which a level's a rows begin at start = the loss of logits [n, a, k] by row, with the sign bit where the label is a
// class. NaN is as hard as can be, so that the loss shows it. A label that is no class is written to bad, with its place: [place, label].
KERNEL mine_keys(float *keys, const float *x, const int *labels, i64 *bad, i64 n, i64 a, int k, i64 start, i64 rows, float alpha, float gamma) {
  EACH(i, n * a) {
    int label = labels[i];
    double sum = 0;
    for (int c = 0; c < k; c++) {
      float slope, v = x[i * k + c];
      sum += mined_weight(c == label, alpha) * background(c == label ? -v : v, gamma, &slope);
    }
    float key = sum != sum ? INF : (float)sum;
    if (label >= 0) key = -key;
    if (label < BACKGROUND || label >= k) {
      key = DROPPED;
      if (label != IGNORED) {
        bad[0] = i;
        bad[1] = label;
      }
    }
    keys[i / a * rows + start + i % a] = key;
  }
}

// Takes the hardest of from [blocks] as the turn'th row of a kind, and writes each block's hardest of what is left to to, which is null
// in the last turn. anchors [rows, 4] are read where nms > 0. Rows of the kind begin at first in picked. Background has ratio times as many
// turns as objects were picked, at most keep with them.
KERNEL mine_pick(float *keys, int *picked, const candidate *from, candidate *to, const float *anchors, i64 n, i64 rows, i64 blocks, int first, int turn, int kind,
                 int keep, double ratio, float nms) {
  candidate last = {0, -1}, next = {0, -1};
  if (turn > 0) {
    for (i64 b = TID; b < blocks; b += THREADS) last = harder(last, from[b]);
    last = block_hardest(last);
    if (BLOCK_X == 0 && TID == 0) picked[first + turn - 1] = last.row;
  }
  int more = to && (turn == 0 || last.row >= 0);
  if (kind == BACKGROUND_ROW) {
    double objects = 0;
    for (int i = TID; i < first; i += THREADS) objects += picked[i] >= 0;
    objects = block_sum(objects);
    SYNC();
    more = more && turn < (int)(ratio * (objects > 1 ? objects : 1)) && turn < keep - (int)objects;
  }
  EACH(i, more ? n * rows : 0) {
    float key = keys[i];
    if (key != key || (kind != ANY_ROW && (__builtin_signbit(key) ? OBJECT_ROW : BACKGROUND_ROW) != kind)) continue;
    if (last.row >= 0 && (i == last.row || (nms > 0 && i / rows == last.row / rows && iou_of(anchors + i % rows * 4, anchors + last.row % rows * 4) > nms))) {
      keys[i] = DROPPED;
      continue;
    }
    next = harder(next, {key < 0 ? -key : key, (int)i});
  }
  next = block_hardest(next);
  if (to && TID == 0) to[BLOCK_X] = next;
}

// The loss of a level's rows among picked [count], and its gradient where grad is given, which is zero elsewhere; up is one number, or
// null for 1.
KERNEL mined(double *part, float *grad, const float *x, const int *labels, const int *picked, const float *norm, const float *up, i64 count, i64 a, int k,
             i64 start, i64 rows, float alpha, float gamma) {
  double sum = 0;
  float factor = up ? *up : 1;
  EACH(i, count * k) {
    i64 row = picked[i / k], in = row % rows - start;
    if (row < 0 || in < 0 || in >= a) continue;
    i64 picture = row / rows, anchor = picture * a + in, at = anchor * k + i % k;
    int object = labels[anchor] == (int)(i % k);
    float weight = mined_weight(object, alpha) * norm[picture], slope;
    sum += (double)weight * background(object ? -x[at] : x[at], gamma, &slope);
    if (grad) grad[at] = weight * factor * (object ? -slope : slope);
  }
  sum = block_sum(sum);
  if (TID == 0 && part) part[BLOCK_X] = sum;
}
