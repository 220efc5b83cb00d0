// Steps of the optimisers and moving averages. scale multiplies the gradient.
#include "device.h"

// PyTorch's form: m = momentum*m + d, w -= lr * (nesterov ? d + momentum*m : m)
DEVICE void sgd_of(float *w, float *m, float g, float lr, float momentum, float decay, float scale, int nesterov) {
  float d = scale * g + decay * *w, v = momentum * *m + d;
  *m = v;
  *w -= lr * (nesterov ? d + momentum * v : v);
}

// Kingma and Ba 2015, algorithm 1, with bias corrections in step and root; shrink is AdamW's decay.
DEVICE void adam_of(float *w, float *m, float *v, float g, float step, float root, float beta1, float beta2, float eps, float decay, float shrink, float scale) {
  float d = scale * g + decay * *w;
  *m = beta1 * *m + (1 - beta1) * d;
  *v = beta2 * *v + (1 - beta2) * d * d;
  *w = shrink * *w - step * *m / (SQRT(*v) * root + eps);
}

KERNEL sgd(float *w, float *m, const float *g, i64 n, float lr, float momentum, float decay, float scale, int nesterov) {
  EACH(i, n) sgd_of(w + i, m + i, g[i], lr, momentum, decay, scale, nesterov);
}

KERNEL adam(float *w, float *m, float *v, const float *g, i64 n, float step, float root, float beta1, float beta2, float eps, float decay, float shrink, float scale) {
  EACH(i, n) adam_of(w + i, m + i, v + i, g[i], step, root, beta1, beta2, eps, decay, shrink, scale);
}

KERNEL lerp(float *w, const float *x, i64 n, float t) {
  EACH(i, n) w[i] += t * (x[i] - w[i]);
}
