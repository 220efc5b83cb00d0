// Cross entropy of a softmax over each row, whose last column is the background, forward and backward.
#include "elementary.h"

// x [n, a, k], labels [n, a]: a class, -1 background, -2 ignored. A row has team threads, a power of two, which read it side by side. A
// label that is no class is written to bad, with its place: [place, label]. up is one number, or null for 1.
KERNEL softmax(double *part, float *grad, const float *x, const int *labels, const float *norm, const float *up, i64 *bad, i64 n, i64 a, int k, int team) {
  SHARED float peaks[MOST_THREADS];
  SHARED double sums[MOST_THREADS];
  int size = team < THREADS ? team : THREADS, lane = TID % size, rows = THREADS / size;
  double sum = 0;
  float factor = up ? *up : 1;
  for (i64 first = BLOCK_X * rows; first < n * a; first += BLOCKS_X * rows) {
    i64 row = first + TID / size;
    int mine = row < n * a, label = mine ? labels[row] : IGNORED, counts = label >= BACKGROUND && label < k;
    const float *v = x + row * k;
    if (!counts && label != IGNORED) {
      bad[0] = row;
      bad[1] = label;
    }
    float peak = -INF;
    for (int c = lane; counts && c < k; c += size) peak = higher_of(v[c], peak);
    peaks[TID] = peak;
    SYNC();
    for (int half = size / 2; half > 0; half /= 2) {
      if (lane < half) peaks[TID] = higher_of(peaks[TID], peaks[TID + half]);
      SYNC();
    }
    peak = peaks[TID - lane];
    double s = 0;
    for (int c = lane; counts && c < k; c += size) s += exp_of(v[c] - peak);
    sums[TID] = s;
    SYNC();
    for (int half = size / 2; half > 0; half /= 2) {
      if (lane < half) sums[TID] += sums[TID + half];
      SYNC();
    }
    s = sums[TID - lane];
    int target = label < 0 ? k - 1 : label;
    float weight = counts ? norm[row / a] : 0, inverse = (float)(1 / s);
    if (counts && lane == 0) sum += weight * (log_wide(s) + peak - v[target]);
    for (int c = lane; grad && mine && c < k; c += size) {
      float p = 0;
      if (counts) {
        float e = exp_of(v[c] - peak);
        p = c == target ? (float)(e / s - 1) : e * inverse;
      }
      grad[row * k + c] = p * weight * factor;
    }
  }
  sum = block_sum(sum);
  if (TID == 0 && part) part[BLOCK_X] = sum;
}
