// Steps of the optimisers and moving averages. scale multiplies the gradient.
#include "device.h"

// PyTorch's form: m = momentum*m + d, w -= lr * (nesterov ? d + momentum*m : m)
KERNEL sgd(float *w, float *m, const float *g, i64 n, float lr, float momentum, float decay, float scale, int nesterov) {
  EACH(i, n) {
    float d = scale * g[i] + decay * w[i], v = momentum * m[i] + d;
    m[i] = v;
    w[i] -= lr * (nesterov ? d + momentum * v : v);
  }
}

// Kingma and Ba 2015, algorithm 1, with bias corrections in step and root; shrink is AdamW's decay.
KERNEL adam(float *w, float *m, float *v, const float *g, i64 n, float step, float root, float beta1, float beta2, float eps, float decay, float shrink, float scale) {
  EACH(i, n) {
    float d = scale * g[i] + decay * w[i];
    m[i] = beta1 * m[i] + (1 - beta1) * d;
    v[i] = beta2 * v[i] + (1 - beta2) * d * d;
    w[i] = shrink * w[i] - step * m[i] / (SQRT(v[i]) * root + eps);
  }
}

KERNEL lerp(float *w, const float *x, i64 n, float t) {
  EACH(i, n) w[i] += t * (x[i] - w[i]);
}
