// Normalisation over pixels and groups of channels: batch norm is one image of all pixels with a group per channel.
#include "kernels.h"

#include <math.h>
#include <omp.h>
#include "guard.h"
#include "zeros.h"

#include "dispatch.h" // last

namespace {

// Rows of one block are summed in float32, blocks in float64, in an order that threads do not change.
enum { BLOCK = 128 };

INTO void sum_rows(float *__restrict s, const float *x, int64_t rows, int c) {
  for (int64_t r = 0; r < rows; r++)
    for (int k = 0; k < c; k++) s[k] += x[r * c + k];
}

INTO void square_rows(float *__restrict s, const float *x, const float *mean, int64_t rows, int c) {
  for (int64_t r = 0; r < rows; r++)
    for (int k = 0; k < c; k++) {
      float d = x[r * c + k] - mean[k];
      s[k] += d * d;
    }
}

// affine_rows: y = scale*(x-mean) + beta. What is folded into one shift loses digits where the mean is large.
INTO void affine_rows(float *__restrict y, const float *x, const float *mean, const float *scale, const float *beta, int64_t rows, int c, int relu) {
  for (int64_t r = 0; r < rows; r++)
    for (int k = 0; k < c; k++) {
      float v = (x[r * c + k] - mean[k]) * scale[k] + beta[k];
      y[r * c + k] = relu && v <= 0 ? 0 : v;
    }
}

// grad_rows sums dy and dy*(x-mean)*rstd per channel; dy counts where y > 0, if y is given.
INTO void grad_rows(float *__restrict sum, float *__restrict dot, const float *dy, const float *y, const float *x, const float *mean, const float *rstd, int64_t rows, int c) {
  for (int64_t r = 0; r < rows; r++)
    for (int k = 0; k < c; k++) {
      int64_t i = r * c + k;
      float d = y && !(y[i] > 0) ? 0 : dy[i];
      sum[k] += d;
      dot[k] += d * (x[i] - mean[k]) * rstd[k];
    }
}

// input_rows: dx = a*dy + b*(x-mean) + c, per channel.
INTO void input_rows(float *__restrict dx, const float *dy, const float *y, const float *x, const float *mean, const float *a, const float *b, const float *c0, int64_t rows, int c) {
  for (int64_t r = 0; r < rows; r++)
    for (int k = 0; k < c; k++) {
      int64_t i = r * c + k;
      float d = y && !(y[i] > 0) ? 0 : dy[i];
      dx[i] = a[k] * d + b[k] * (x[i] - mean[k]) + c0[k];
    }
}

// over_blocks calls f(image, first row, rows, partial) for every block of rows; partial is width floats, zeroed. The
// partials of an image are then summed to total [images, width].
template <class F> void over_blocks(double *total, int64_t images, int64_t pixels, int width, F f) {
  int64_t blocks = (pixels + BLOCK - 1) / BLOCK;
  Zeros<float> zeros(images * blocks, width);
  float *part = zeros.p;
#pragma omp parallel
  {
#pragma omp for collapse(2) schedule(static)
    for (int64_t i = 0; i < images; i++)
      for (int64_t b = 0; b < blocks; b++) {
        int64_t rows = pixels - b * BLOCK < BLOCK ? pixels - b * BLOCK : BLOCK;
        f(i, b * BLOCK, rows, part + (i * blocks + b) * width);
      }
#pragma omp for collapse(2) schedule(static)
    for (int64_t i = 0; i < images; i++)
      for (int k = 0; k < width; k++) {
        double s = 0;
        for (int64_t b = 0; b < blocks; b++) s += part[(i * blocks + b) * width + k];
        total[i * width + k] = s;
      }
  }
}

// spread_stats writes the mean and 1/std of each channel's group.
void spread_stats(float *mean, float *rstd, const float *stats, int64_t i, int64_t images, int c, int groups) {
  int per = c / groups;
  for (int k = 0; k < c; k++) {
    mean[k] = stats[i * groups + k / per];
    rstd[k] = stats[(images + i) * groups + k / per];
  }
}

// Channels are n coefficients of each channel of each image.
struct Channels {
  Zeros<float> v;
  int64_t images;
  int c;
  Channels(int64_t images, int c, int n) : v(images * n, c), images(images), c(c) {}
  float *at(int which, int64_t image) { return v.p + (which * images + image) * c; }
};

void norm(float *y, float *stats, float *var, const float *x, const float *gamma, const float *beta, int64_t images, int64_t pixels, int c, int groups, float eps, int relu) {
  int per = c / groups;
  double count = (double)pixels * per;
  Zeros<double> sums(images, c);
  double *total = sums.p;
  Channels ch(images, c, 2); // mean, scale
  over_blocks(total, images, pixels, c, [&](int64_t i, int64_t r, int64_t rows, float *part) { dispatch<sum_rows>(part, x + (i * pixels + r) * c, rows, c); });
  for (int64_t i = 0; i < images; i++)
    for (int g = 0; g < groups; g++) {
      double s = 0;
      for (int k = g * per; k < (g + 1) * per; k++) s += total[i * c + k];
      stats[i * groups + g] = (float)(s / count);
      for (int k = g * per; k < (g + 1) * per; k++) ch.at(0, i)[k] = (float)(s / count);
    }
  over_blocks(total, images, pixels, c, [&](int64_t i, int64_t r, int64_t rows, float *part) { dispatch<square_rows>(part, x + (i * pixels + r) * c, ch.at(0, i), rows, c); });
  for (int64_t i = 0; i < images; i++)
    for (int g = 0; g < groups; g++) {
      double s = 0;
      for (int k = g * per; k < (g + 1) * per; k++) s += total[i * c + k];
      double v = s / count, r = 1 / sqrt(v + eps);
      if (var) var[i * groups + g] = (float)v;
      stats[(images + i) * groups + g] = (float)r;
      for (int k = g * per; k < (g + 1) * per; k++) ch.at(1, i)[k] = (float)(r * gamma[k]);
    }
  int64_t blocks = (pixels + BLOCK - 1) / BLOCK;
#pragma omp parallel for collapse(2) schedule(static)
  for (int64_t i = 0; i < images; i++)
    for (int64_t b = 0; b < blocks; b++) {
      int64_t at = (i * pixels + b * BLOCK) * c, rows = pixels - b * BLOCK < BLOCK ? pixels - b * BLOCK : BLOCK;
      dispatch<affine_rows>(y + at, x + at, ch.at(0, i), ch.at(1, i), beta, rows, c, relu);
    }
}

// channel_grads sums dy and dy times the normalised x per image and channel into total [images, 2c].
void channel_grads(double *total, Channels &ch, const float *dy, const float *y, const float *x, const float *stats, int64_t images, int64_t pixels, int c, int groups, int relu) {
  for (int64_t i = 0; i < images; i++) spread_stats(ch.at(0, i), ch.at(1, i), stats, i, images, c, groups);
  over_blocks(total, images, pixels, 2 * c, [&](int64_t i, int64_t r, int64_t rows, float *part) {
    int64_t at = (i * pixels + r) * c;
    dispatch<grad_rows>(part, part + c, dy + at, relu ? y + at : NULL, x + at, ch.at(0, i), ch.at(1, i), rows, c);
  });
}

void norm_param_grad(float *dp, const float *dy, const float *y, const float *x, const float *stats, int64_t images, int64_t pixels, int c, int groups, int relu) {
  Zeros<double> sums(images, 2 * c);
  double *total = sums.p;
  Channels ch(images, c, 2);
  channel_grads(total, ch, dy, y, x, stats, images, pixels, c, groups, relu);
  for (int k = 0; k < c; k++) {
    double sum = 0, dot = 0;
    for (int64_t i = 0; i < images; i++) {
      sum += total[i * 2 * c + k];
      dot += total[i * 2 * c + c + k];
    }
    dp[k] = (float)dot;
    dp[c + k] = (float)sum;
  }
}

// dx = rstd * (gamma dy - mean(gamma dy) - xhat mean(gamma dy xhat)), means over the group (Wu and He 2018 share the
// form with Ioffe and Szegedy 2015, section 3), written as a*dy + b*(x-mean) + c per channel.
void norm_grad(float *dx, const float *dy, const float *y, const float *x, const float *gamma, const float *stats, int64_t images, int64_t pixels, int c, int groups, int relu) {
  int per = c / groups;
  double count = (double)pixels * per;
  Zeros<double> sums(images, 2 * c);
  double *total = sums.p;
  Channels ch(images, c, 5); // mean, rstd, a, b, c
  channel_grads(total, ch, dy, y, x, stats, images, pixels, c, groups, relu);
  for (int64_t i = 0; i < images; i++)
    for (int g = 0; g < groups; g++) {
      double sum = 0, dot = 0;
      for (int k = g * per; k < (g + 1) * per; k++) {
        sum += gamma[k] * total[i * 2 * c + k];
        dot += gamma[k] * total[i * 2 * c + c + k];
      }
      double rstd = stats[(images + i) * groups + g];
      double b = -rstd * rstd * dot / count, c0 = -rstd * sum / count;
      for (int k = g * per; k < (g + 1) * per; k++) {
        ch.at(2, i)[k] = (float)(rstd * gamma[k]);
        ch.at(3, i)[k] = (float)b;
        ch.at(4, i)[k] = (float)c0;
      }
    }
  int64_t blocks = (pixels + BLOCK - 1) / BLOCK;
#pragma omp parallel for collapse(2) schedule(static)
  for (int64_t i = 0; i < images; i++)
    for (int64_t b = 0; b < blocks; b++) {
      int64_t at = (i * pixels + b * BLOCK) * c, rows = pixels - b * BLOCK < BLOCK ? pixels - b * BLOCK : BLOCK;
      dispatch<input_rows>(dx + at, dy + at, relu ? y + at : NULL, x + at, ch.at(0, i), ch.at(2, i), ch.at(3, i), ch.at(4, i), rows, c);
    }
}

} // namespace

extern "C" {

char *rn_norm(float *y, float *stats, float *var, const float *x, const float *gamma, const float *beta, int64_t images, int64_t pixels, int c, int groups, float eps, int relu) {
  return guarded([&] { norm(y, stats, var, x, gamma, beta, images, pixels, c, groups, eps, relu); });
}

char *rn_norm_param_grad(float *dp, const float *dy, const float *y, const float *x, const float *stats, int64_t images, int64_t pixels, int c, int groups, int relu) {
  return guarded([&] { norm_param_grad(dp, dy, y, x, stats, images, pixels, c, groups, relu); });
}

char *rn_norm_grad(float *dx, const float *dy, const float *y, const float *x, const float *gamma, const float *stats, int64_t images, int64_t pixels, int c, int groups, int relu) {
  return guarded([&] { norm_grad(dx, dy, y, x, gamma, stats, images, pixels, c, groups, relu); });
}

} // extern "C"
