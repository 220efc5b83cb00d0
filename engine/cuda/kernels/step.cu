// A whole step over all parameters in three launches: gradients' squares, a judgement of the step, the update. What changes from
// step to step is read from memory, so that a recorded step can be repeated.
#include "device.h"

// part [n] = the sums of squares over chunks. grads [slots] are addresses, 0 where there is none.
KERNEL step_squares(double *part, const struct chunk *chunks, i64 n, const i64 *grads) {
  for (i64 c = BLOCK_X; c < n; c += BLOCKS_X) {
    const float *g = PLACE(const float, grads[chunks[c].slot]);
    i64 from = chunks[c].from, to = g ? from + chunks[c].n : from;
    double s = 0;
    for (i64 i = from + TID; i < to; i += THREADS) s += (double)g[i] * g[i];
    s = block_sum(s);
    if (TID == 0) part[c] = s;
  }
}

DEVICE double step_total(const i64 *losses, int n) {
  double s = 0;
  for (int i = 0; i < n; i++) s += *PLACE(const float, losses[i]);
  return s;
}

// One block. losses are addresses of the classes' and then the boxes'; label is [place, label] as focal leaves it. clip 0 is none. seed
// is the loss scale, or null; it doubles after enough good steps.
KERNEL step_judge(struct step_state *s, const double *part, i64 n, const i64 *losses, int classes, int boxes, const i64 *label, const float *lr, float *seed, double enough, double clip, double beta1, double beta2) {
  double sum = 0;
  for (i64 i = TID; i < n; i += THREADS) sum += part[i];
  sum = block_sum(sum);
  if (TID) return;
  s->class_loss = step_total(losses, classes);
  s->box_loss = step_total(losses + classes, boxes);
  double used = seed ? *seed : 1, norm = SQRTD(sum) / used, loss = s->class_loss + s->box_loss;
  int finite = loss + norm - (loss + norm) == 0;
  s->skipped = !finite && loss - loss == 0 && used > 1;
  s->finite = finite || s->skipped;
  s->norm = s->skipped ? 0 : norm;
  s->place = (double)label[0];
  s->label = (double)label[1];
  if (!s->finite || label[0] >= 0) s->halted = 1;
  s->go = !s->halted && !s->skipped;
  s->loss_scale = used;
  if (seed && !s->halted) {
    s->good = s->skipped ? 0 : s->good + 1;
    if (s->skipped) s->loss_scale = used / 2;
    if (s->good >= enough) {
      s->loss_scale = used < MOST_LOSS_SCALE ? used * 2 : used;
      s->good = 0;
    }
    *seed = (float)s->loss_scale;
  }
  if (!s->go) return;
  s->taken += 1;
  s->scale = (clip > 0 && s->norm > clip ? clip / (s->norm + 1e-6) : 1) / used;
  s->power1 *= beta1;
  s->power2 *= beta2;
  s->step = *lr / (1 - s->power1);
  s->root = 1 / SQRTD(1 - s->power2);
}

// PARAMETERS runs its body for each value of each parameter that has a gradient, then moves the averages by lr[1].
#define PARAMETERS(body)                                                                    \
  if (!s->go) return;                                                                       \
  for (i64 c = BLOCK_X; c < n; c += BLOCKS_X) {                                             \
    const struct slot *p = slots + chunks[c].slot;                                          \
    i64 from = chunks[c].from, to = from + chunks[c].n;                                     \
    float *w = PLACE(float, p->w), *m = PLACE(float, p->m), *v = PLACE(float, p->v), *a = PLACE(float, p->average); \
    const float *g = PLACE(const float, grads[chunks[c].slot]);                             \
    float decay = p->decay, scale = (float)s->scale, rate = lr[0] * p->rate, t = lr[1];     \
    for (i64 i = from + TID; i < to; i += THREADS) {                                        \
      if (g) body;                                                                          \
      if (a) a[i] += t * (w[i] - a[i]);                                                     \
    }                                                                                       \
  }

KERNEL step_sgd(const struct step_state *s, const struct slot *slots, const struct chunk *chunks, i64 n, const i64 *grads, const float *lr, float momentum, int nesterov) {
  PARAMETERS(sgd_of(w + i, m + i, g[i], rate, momentum, decay, scale, nesterov))
}

KERNEL step_adam(const struct step_state *s, const struct slot *slots, const struct chunk *chunks, i64 n, const i64 *grads, const float *lr, float beta1, float beta2, float eps, int decoupled) {
  float root = (float)s->root;
  PARAMETERS(adam_of(w + i, m + i, v + i, g[i], (float)s->step * p->rate, root, beta1, beta2, eps, decoupled ? 0 : decay, decoupled ? 1 - rate * decay : 1, scale))
}
