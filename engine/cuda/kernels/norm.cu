// Normalisation of x [images, pixels, c] over groups of channels per image; batch norm is one image with a group per channel.
// stats is [2, images, groups]: mean and 1/sqrt(var+eps). Parts are [images, chunks, c], sums over chunks of pixels.
#include "device.h"

// part = the sums of x, or of (x-mean)^2 where stats is given. Blocks are x: channels, y: chunks of per pixels, z: images.
KERNEL norm_sums(double *part, const float *x, const float *stats, i64 pixels, int c, int groups, i64 per) {
  i64 i = BLOCK_Z, chunks = (pixels + per - 1) / per, from = BLOCK_Y * per, to = from + per < pixels ? from + per : pixels;
  for (i64 k = BLOCK_X * THREADS + TID; k < c; k += BLOCKS_X * THREADS) {
    double s = 0;
    if (stats) {
      float mean = stats[i * groups + k / (c / groups)];
      for (i64 p = from; p < to; p++) {
        float d = x[(i * pixels + p) * c + k] - mean;
        s += (double)d * d;
      }
    } else
      for (i64 p = from; p < to; p++) s += x[(i * pixels + p) * c + k];
    part[(i * chunks + BLOCK_Y) * c + k] = s;
  }
}

DEVICE double group_sum(const double *part, i64 image, i64 chunks, int c, int from, int to) {
  double s = 0;
  for (i64 b = 0; b < chunks; b++)
    for (int k = from; k < to; k++) s += part[(image * chunks + b) * c + k];
  return s;
}

KERNEL norm_mean(float *stats, const double *part, i64 images, i64 pixels, int c, int groups, i64 chunks) {
  int per = c / groups;
  EACH(i, images * groups) {
    int g = (int)(i % groups);
    stats[i] = (float)(group_sum(part, i / groups, chunks, c, g * per, (g + 1) * per) / ((double)pixels * per));
  }
}

// var [images, groups] may be null.
KERNEL norm_spread(float *stats, float *var, const double *part, i64 images, i64 pixels, int c, int groups, i64 chunks, float eps) {
  int per = c / groups;
  EACH(i, images * groups) {
    int g = (int)(i % groups);
    double v = group_sum(part, i / groups, chunks, c, g * per, (g + 1) * per) / ((double)pixels * per);
    stats[images * groups + i] = (float)(1 / SQRTD(v + eps));
    if (var) var[i] = (float)v;
  }
}

// Running mean and variance move to those of the batch; the variance as of a sample.
KERNEL norm_move(float *mean, float *variance, const float *stats, const float *var, int c, float momentum, float unbiased) {
  EACH(k, c) {
    mean[k] += momentum * (stats[k] - mean[k]);
    variance[k] += momentum * (var[k] * unbiased - variance[k]);
  }
}

KERNEL norm_apply(float *y, const float *x, const float *stats, const float *gamma, const float *beta, i64 images, i64 pixels, int c, int groups, int relu) {
  int per = c / groups;
  EACH(i, images * pixels * c) {
    int k = (int)(i % c);
    i64 at = i / c / pixels * groups + k / per;
    float v = (x[i] - stats[at]) * (stats[images * groups + at] * gamma[k]) + beta[k];
    y[i] = relu && v <= 0 ? 0 : v;
  }
}

// part [images, chunks, 2c] = the sums of dy, and of dy times the normalised x. dy counts where y > 0, if y is given.
KERNEL norm_dots(double *part, const float *dy, const float *y, const float *x, const float *stats, i64 images, i64 pixels, int c, int groups, i64 per) {
  i64 i = BLOCK_Z, chunks = (pixels + per - 1) / per, from = BLOCK_Y * per, to = from + per < pixels ? from + per : pixels;
  for (i64 k = BLOCK_X * THREADS + TID; k < c; k += BLOCKS_X * THREADS) {
    i64 at = i * groups + k / (c / groups);
    float mean = stats[at], rstd = stats[images * groups + at];
    double sum = 0, dot = 0;
    for (i64 p = from; p < to; p++) {
      i64 q = (i * pixels + p) * c + k;
      float d = y && !(y[q] > 0) ? 0 : dy[q];
      sum += d;
      dot += d * ((x[q] - mean) * rstd);
    }
    double *to_part = part + (i * chunks + BLOCK_Y) * 2 * c + k;
    to_part[0] = sum;
    to_part[c] = dot;
  }
}

// dp [2, c] = (dgamma, dbeta)
KERNEL norm_param_grad(float *dp, const double *part, i64 images, int c, i64 chunks) {
  EACH(k, c) {
    double sum = 0, dot = 0;
    for (i64 b = 0; b < images * chunks; b++) {
      sum += part[b * 2 * c + k];
      dot += part[b * 2 * c + c + k];
    }
    dp[k] = (float)dot;
    dp[c + k] = (float)sum;
  }
}

// coef [2, images, groups]: dx = rstd*gamma*dy + coef0*(x-mean) + coef1 (Ioffe and Szegedy 2015, section 3, over groups)
KERNEL norm_coef(float *coef, const double *part, const float *gamma, const float *stats, i64 images, i64 pixels, int c, int groups, i64 chunks) {
  int per = c / groups;
  EACH(i, images * groups) {
    int g = (int)(i % groups);
    double sum = 0, dot = 0, rstd = stats[images * groups + i], count = (double)pixels * per;
    for (i64 b = 0; b < chunks; b++)
      for (int k = g * per; k < (g + 1) * per; k++) {
        const double *at = part + (i / groups * chunks + b) * 2 * c + k;
        sum += gamma[k] * at[0];
        dot += gamma[k] * at[c];
      }
    coef[i] = (float)(-rstd * rstd * dot / count);
    coef[images * groups + i] = (float)(-rstd * sum / count);
  }
}

KERNEL norm_grad(float *dx, const float *dy, const float *y, const float *x, const float *gamma, const float *stats, const float *coef, i64 images, i64 pixels, int c, int groups) {
  int per = c / groups;
  EACH(i, images * pixels * c) {
    int k = (int)(i % c);
    i64 at = i / c / pixels * groups + k / per, all = images * groups;
    float d = y && !(y[i] > 0) ? 0 : dy[i];
    dx[i] = stats[all + at] * gamma[k] * d + coef[at] * (x[i] - stats[at]) + coef[all + at];
  }
}

// A norm with fixed statistics per channel: scale = gamma/sqrt(var+eps), shift = beta - mean*scale.
KERNEL fold(float *scale, float *shift, const float *gamma, const float *beta, const float *mean, const float *var, int c, float eps) {
  EACH(k, c) {
    double s = gamma[k] / SQRTD((double)var[k] + eps);
    scale[k] = (float)s;
    shift[k] = (float)(beta[k] - mean[k] * s);
  }
}
