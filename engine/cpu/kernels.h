// C interface of the CPU engine's kernels. Tensors are dense float32, activations N,H,W,C. Every function runs on the
// calling thread's OpenMP pool. Functions that can fail return a message, which the caller frees, or NULL.
#ifndef RETINAGO_KERNELS_H
#define RETINAGO_KERNELS_H
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Instruction sets: 0 baseline, 1 AVX2 with FMA, 2 AVX-512. rn_isa_lower holds the process to one below the processor's
// best; it comes before all else, and returns what is wrong or NULL.
int rn_isa_best(void);
const char *rn_isa_lower(int isa);

void rn_threads(int n);

// Starts sleeping threads, so that OpenMP has two more than there are processors, with those of an engine, until they are stopped.
// NULL where the system has no room for them.
struct rn_idle *rn_idle_start(int engine);
void rn_idle_stop(struct rn_idle *idle);
const char *rn_library_version(void);

// Memory: 64-byte aligned, zeroed.
void *rn_alloc(int64_t bytes);
void rn_free(void *p, int64_t bytes);

// Convolutions. Shapes as in engine.Engine.
typedef struct {
  int n, h, w, c;       // input
  int k, r, s;          // weights [k, c/groups, r, s]
  int oh, ow;           // output
  int stride, pad, groups, relu;
  float slope, cap;     // of the ReLU; cap 0 is none
} rn_conv;
// One of several maps that are convolved with the same weights: x is the input and y the output, or what is theirs in a gradient.
typedef struct {
  const float *x;
  float *y;
  const float *res; // may be NULL
  int n, h, w, oh, ow;
} rn_map;
typedef struct rn_conv_context rn_conv_context;
rn_conv_context *rn_conv_new(int threads);
void rn_conv_delete(rn_conv_context *);
void rn_conv_weights_changed(rn_conv_context *);
// rn_conv_forget drops what was packed of weights and scales in memory that is to be freed: the next tensor may lie there.
void rn_conv_forget(rn_conv_context *, const void *p, int64_t bytes);
int rn_conv_primitives(rn_conv_context *); // in the cache
int64_t rn_conv_bytes(rn_conv_context *);
// rn_conv_own says whether the own Winograd kernels take a shape; only then may `own` be set below, else oneDNN computes. They
// compute several maps like one large map. The sizes of the shape are not read where there are maps.
int rn_conv_own(const rn_conv *);
char *rn_conv_forward(rn_conv_context *, int own, const rn_conv *, const rn_map *, int maps, const float *w, const float *scale, const float *b);
// rn_conv_data reads dy from x and writes dx to y, without res; oh and ow are dy's size.
char *rn_conv_data(rn_conv_context *, int own, const rn_conv *, const rn_map *, int maps, const float *w, const float *scale);
// rn_conv_dweights reads x, and dy from y; dw is the sum over the maps.
char *rn_conv_dweights(rn_conv_context *, int own, const rn_conv *, const rn_map *, int maps, float *dw, const float *scale);
// rn_conv_time takes the least and the median seconds of a few runs on memory of its own: {oneDNN, own}. pass: 0 forward, 1 by
// data, 2 by weights.
char *rn_conv_time(rn_conv_context *, int pass, const rn_conv *, double least[2], double median[2]);

void rn_add(float *y, const float *a, const float *b, int64_t n, int relu);
// Activations of a kind of engine/formula/constants.h; cap 0 is none. v is the output, or the input, as activate_grad has it.
void rn_activate(float *y, const float *x, int64_t n, int kind, float slope, float cap);
void rn_activate_grad(float *dx, const float *dy, const float *v, int64_t n, int kind, float slope, float cap);
void rn_scale_rows(float *y, const float *x, const float *s, int64_t rows, int64_t cols); // y may be x
char *rn_bias_grad(float *db, const float *dy, int64_t rows, int c);
void rn_max_pool(float *y, const float *x, int n, int h, int w, int c, int oh, int ow, int kernel, int stride, int pad);
char *rn_max_pool_grad(float *dx, const float *dy, const float *x, const float *y, int n, int h, int w, int c, int oh, int ow, int kernel, int stride, int pad);
void rn_upsample_add(float *y, const float *top, const float *lateral, int n, int h, int w, int th, int tw, int c);
void rn_upsample_grad(float *dtop, const float *dy, int n, int h, int w, int th, int tw, int c);

// Normalisation of x [images, pixels, c] over `groups` groups of channels per image. Batch norm is images = 1 and
// groups = c. stats is [2, images, groups]: mean and 1/sqrt(var+eps). var may be NULL.
char *rn_norm(float *y, float *stats, float *var, const float *x, const float *gamma, const float *beta, int64_t images, int64_t pixels, int c, int groups, float eps, int relu);
char *rn_norm_param_grad(float *dp, const float *dy, const float *y, const float *x, const float *stats, int64_t images, int64_t pixels, int c, int groups, int relu);
char *rn_norm_grad(float *dx, const float *dy, const float *y, const float *x, const float *gamma, const float *stats, int64_t images, int64_t pixels, int c, int groups, int relu);

// Losses. labels [n, a]; x [n, a*k]. bad is -1, or the index of a label that is no class of k.
char *rn_binary_loss(int index, float *loss, float *grad, const float *x, const int32_t *labels, const float *norm, const float *columns, float up, int n, int64_t a, int k, float alpha,
                     float gamma, float beta, int64_t *bad);
// The index of a loss of engine/formula/binary.h by its name, -1 for an unknown name.
int rn_binary_loss_index(const char *name);
void rn_box_loss(float *loss, float *grad, const float *d, const float *t, const int32_t *labels, const float *norm, float up, int n, int64_t a, float beta, float alpha, float gamma,
                 float bend);

// Networks in 8 bits: activations are u8, value = scale * (q - zero); weights s8 per output channel, sums s32.
typedef struct {
  float lo, hi, slope;  // activation: v < 0 ? slope*v : v, then clamped, in units of y
  float res_scale;      // of the residual, in units of y
  int zero;             // of y where it is u8
} rn_int8_output;
// Instruction sets, the best first; NULL after the last. Every one gives the same bits.
const char *rn_int8_path(int i);
int rn_int8_available(int i);
int64_t rn_int8_packed(const rn_conv *);                    // bytes of packed weights
void rn_int8_pack(int8_t *packed, const int8_t *w, const rn_conv *);
// v [k] = scale * (init + sum of x*w) + bias + res_scale*res, activated; goes to y as round(v) + zero, or to yf as it is.
// Padding is x_zero. res may be NULL; the relu of the shape is not read. x is readable 3 bytes beyond its end.
char *rn_int8_conv(int path, const rn_conv *, const rn_int8_output *, uint8_t *y, float *yf, const uint8_t *x, int x_zero, const int8_t *packed, const int32_t *init, const float *scale, const float *bias, const uint8_t *res);
void rn_int8_quantize(uint8_t *y, const float *x, int64_t n, float inverse, int zero);
void rn_int8_dequantize(float *y, const uint8_t *x, int64_t n, float scale, int zero);
void rn_int8_lookup(uint8_t *y, const uint8_t *x, int64_t n, const uint8_t *table); // y = table[x]
void rn_int8_max_pool(uint8_t *y, const uint8_t *x, int n, int h, int w, int c, int oh, int ow, int kernel, int stride, int pad);
// y = round(top_scale*top + lateral_scale*lateral + offset)
void rn_int8_upsample_add(uint8_t *y, const uint8_t *top, const uint8_t *lateral, int n, int h, int w, int th, int tw, int c, float top_scale, float lateral_scale, float offset);

char *rn_sum_squares(const float *x, int64_t n, double *sum);
void rn_sgd(float *w, float *m, const float *g, int64_t n, float lr, float momentum, float decay, float scale, int nesterov);
void rn_adam(float *w, float *m, float *v, const float *g, int64_t n, float step, float root, float beta1, float beta2, float eps, float decay, float shrink, float scale);
void rn_lerp(float *w, const float *x, int64_t n, float t);

// Multiplies and adds in registers, on every thread; returns the floating point operations.
double rn_peak(int64_t rounds);

#ifdef __cplusplus
}
#endif
#endif
