// Class losses of one binary task per logit, as engine/formula/binary.h has them, and losses of deltas.
#include "kernels.h"

#include <string.h>

#include "guard.h"
#include "zeros.h"

#include "dispatch.h" // last

#define FORMULA INTO
#include "../formula/binary.h"
#include "../formula/constants.h"
#include "../formula/deltas.h"

namespace {

// run_of sums the loss of n background values and writes scale times their slopes, if grad is given.
template <auto F, int P> INTO double run_of(float *grad, const float *x, int64_t n, float scale, float gamma, float beta) {
  struct binary_params b = {gamma, beta, P};
  double total = 0;
  for (int64_t i = 0; i < n; i += 1024) {
    int64_t end = i + 1024 < n ? i + 1024 : n;
    float s = 0;
    if (grad) {
#pragma omp simd reduction(+ : s)
      for (int64_t j = i; j < end; j++) {
        float g;
        s += F(x[j], b, &g);
        grad[j] = scale * g;
      }
    } else {
#pragma omp simd reduction(+ : s)
      for (int64_t j = i; j < end; j++) {
        float g;
        s += F(x[j], b, &g);
      }
    }
    total += s;
  }
  return total;
}

// row_of is run_of of k values, each with a factor of its own.
template <auto F, int P> INTO double row_of(float *grad, const float *x, const float *factors, int64_t k, float scale, float gamma, float beta) {
  struct binary_params b = {gamma, beta, P};
  float s = 0;
  if (grad) {
#pragma omp simd reduction(+ : s)
    for (int64_t j = 0; j < k; j++) {
      float g;
      s += factors[j] * F(x[j], b, &g);
      grad[j] = scale * factors[j] * g;
    }
  } else {
#pragma omp simd reduction(+ : s)
    for (int64_t j = 0; j < k; j++) {
      float g;
      s += factors[j] * F(x[j], b, &g);
    }
  }
  return s;
}

template <auto F> double background_row(float *grad, const float *x, const float *factors, int64_t k, float scale, float gamma, float beta) {
  switch (power_of(gamma)) {
  case GAMMA_ZERO: return dispatch<row_of<F, GAMMA_ZERO>>(grad, x, factors, k, scale, gamma, beta);
  case GAMMA_TWO: return dispatch<row_of<F, GAMMA_TWO>>(grad, x, factors, k, scale, gamma, beta);
  }
  return dispatch<row_of<F, GAMMA_ANY>>(grad, x, factors, k, scale, gamma, beta);
}

template <auto F> double background_run(float *grad, const float *x, int64_t n, float scale, float gamma, float beta) {
  switch (power_of(gamma)) {
  case GAMMA_ZERO: return dispatch<run_of<F, GAMMA_ZERO>>(grad, x, n, scale, gamma, beta);
  case GAMMA_TWO: return dispatch<run_of<F, GAMMA_TWO>>(grad, x, n, scale, gamma, beta);
  }
  return dispatch<run_of<F, GAMMA_ANY>>(grad, x, n, scale, gamma, beta);
}

const struct {
  const char *name;
  double (*run)(float *grad, const float *x, int64_t n, float scale, float gamma, float beta);
  double (*row)(float *grad, const float *x, const float *factors, int64_t k, float scale, float gamma, float beta);
} losses[] = {
#define LOSS(name) {#name, background_run<name##_loss>, background_row<name##_loss>},
    BINARY_LOSSES(LOSS)};

} // namespace

extern "C" {

int rn_binary_loss_index(const char *name) {
  for (size_t i = 0; i < sizeof losses / sizeof *losses; i++)
    if (!strcmp(losses[i].name, name)) return (int)i;
  return -1;
}

static int64_t binary_loss(int index, float *loss, float *grad, const float *x, const int32_t *labels, const float *norm, const float *columns, float up, int n, int64_t a, int k,
                           float alpha, float gamma, float beta) {
  auto background = losses[index].run;
  auto row = losses[index].row;
  const float *objects = columns, *others = columns ? columns + k : NULL;
  enum { BLOCK = 512 }; // anchors
  float wp = alpha < 0 ? 1 : alpha, wn = alpha < 0 ? 1 : 1 - alpha;
  int64_t blocks = (a + BLOCK - 1) / BLOCK, bad = -1;
  Zeros<double> zeros(n, blocks);
  double *part = zeros.p;
#pragma omp parallel for collapse(2) schedule(static)
  for (int i = 0; i < n; i++)
    for (int64_t b = 0; b < blocks; b++) {
      int64_t end = (b + 1) * BLOCK < a ? (b + 1) * BLOCK : a;
      float scale = norm[i] * up;
      double sum = 0;
      for (int64_t j = b * BLOCK; j < end;) {
        int64_t at = i * a + j;
        const float *v = x + at * k;
        float *g = grad ? grad + at * k : NULL;
        int32_t label = labels[at];
        if (label == IGNORED) {
          if (g) memset(g, 0, sizeof(float) * k);
          j++;
          continue;
        }
        if (label < IGNORED || label >= k) {
#pragma omp critical
          if (bad < 0 || at < bad) bad = at;
          j++;
          continue;
        }
        int64_t run = 1; // anchors in a row that are background
        if (label == BACKGROUND)
          while (j + run < end && labels[at + run] == BACKGROUND) run++;
        if (columns) {
          for (int64_t r = 0; r < run; r++) {
            // The columns before that of the label and those behind it; of background, all are behind.
            int64_t from = label + 1, before = label < 0 ? 0 : label, to = r * k;
            sum += wn * row(g ? g + to : NULL, v + to, others, before, scale * wn, gamma, beta);
            sum += wn * row(g ? g + to + from : NULL, v + to + from, others + from, k - from, scale * wn, gamma, beta);
          }
        } else
          sum += wn * background(g, v, run * k, scale * wn, gamma, beta);
        if (label >= 0) {
          float skip, slope, weight = columns ? wp * objects[label] : wp;
          double was = columns ? 0 : background(&skip, v + label, 1, 1, gamma, beta), is; // was: the run took it as background
          float minus = -v[label];
          is = background(&slope, &minus, 1, 1, gamma, beta);
          sum += weight * is - wn * was;
          if (g) g[label] = -scale * weight * slope;
        }
        j += run;
      }
      part[i * blocks + b] = sum * norm[i];
    }
  double total = 0;
  for (int64_t b = 0; b < n * blocks; b++) total += part[b];
  if (loss) *loss = (float)total;
  return bad;
}

char *rn_binary_loss(int index, float *loss, float *grad, const float *x, const int32_t *labels, const float *norm, const float *columns, float up, int n, int64_t a, int k, float alpha,
                     float gamma, float beta, int64_t *bad) {
  return guarded([&] { *bad = binary_loss(index, loss, grad, x, labels, norm, columns, up, n, a, k, alpha, gamma, beta); });
}

void rn_box_loss(float *loss, float *grad, const float *d, const float *t, const int32_t *labels, const float *norm, float up, int n, int64_t a, float beta, float alpha, float gamma,
                 float bend) {
  struct delta_params p = {beta, alpha, gamma, bend};
  double total = 0;
  if (grad) memset(grad, 0, sizeof(float) * 4 * n * a);
  for (int i = 0; i < n; i++) {
    double sum = 0;
    for (int64_t j = i * a; j < (i + 1) * a; j++) {
      if (labels[j] < 0) continue;
      for (int64_t q = 4 * j; q < 4 * j + 4; q++) {
        float slope;
        sum += delta_loss(d[q] - t[q], p, &slope);
        if (grad) grad[q] = norm[i] * up * slope;
      }
    }
    total += sum * norm[i];
  }
  if (loss) *loss = (float)total;
}

} // extern "C"
