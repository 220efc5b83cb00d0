// Normalisation of x [images, pixels, c] over groups of channels per image; batch norm is one image with a group per channel.
// stats is [2, images, groups]: mean and 1/sqrt(var+eps). Parts are [images, chunks, c], sums over chunks of pixels.
#include "device.h"

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

// A norm with fixed statistics per channel: scale = gamma/sqrt(var+eps), shift = beta - mean*scale.
KERNEL fold(float *scale, float *shift, const float *gamma, const float *beta, const float *mean, const float *var, int c, float eps) {
  EACH(k, c) {
    double s = gamma[k] / SQRTD((double)var[k] + eps);
    scale[k] = (float)s;
    shift[k] = (float)(beta[k] - mean[k] * s);
  }
}
