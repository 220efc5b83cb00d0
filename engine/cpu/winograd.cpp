// Winograd convolution F(4x4, 3x3) in N,H,W,C (Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural
// Networks"), for stride 1 and padding 1: 36 batched matrix products over blocks of tiles that stay in the L2 cache.
//
//   forward, by data:  Y = A^T [ (G g G^T) . (B^T d B) ] A
//   by weights:        dg = G^T [ sum over tiles of (A dY A^T) . (B^T d B) ] G
//
// The gradient by data is a forward pass with the weights turned by 180 degrees and their channels exchanged.
#include "kernels.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#pragma GCC target("avx512f,fma")

typedef __m512 V;

static inline V ld(const float *p) { return _mm512_loadu_ps(p); }
static inline void st(float *p, V v) { _mm512_storeu_ps(p, v); }
static inline V c1(float x) { return _mm512_set1_ps(x); }
static inline int64_t up32(int64_t n) { return (n + 31) / 32 * 32; }

enum { TILES = 28 }; // tiles of one block: two rounds of the 14-row micro-kernel

// The polynomials are taken at 0, P, -P, Q, -Q and infinity. Rounding errors depend on the points: these were found by
// search to lose a quarter of the largest and half of the mean error of the usual 1 and 2. Their powers are exact.
static constexpr double P = 11. / 16, Q = 3. / 2, P2 = P * P, Q2 = Q * Q;

// B^T d: the input transform of one line.
static inline void bt(const V *d, V *o) {
  V a = _mm512_fnmadd_ps(c1(Q2), d[2], d[4]), b = _mm512_fnmadd_ps(c1(Q2), d[1], d[3]);
  V c = _mm512_fnmadd_ps(c1(P2), d[2], d[4]), e = _mm512_fnmadd_ps(c1(P2), d[1], d[3]);
  o[0] = _mm512_fmadd_ps(c1(P2 * Q2), d[0], _mm512_fnmadd_ps(c1(P2 + Q2), d[2], d[4]));
  o[1] = _mm512_fmadd_ps(c1(P), b, a);
  o[2] = _mm512_fnmadd_ps(c1(P), b, a);
  o[3] = _mm512_fmadd_ps(c1(Q), e, c);
  o[4] = _mm512_fnmadd_ps(c1(Q), e, c);
  o[5] = _mm512_fmadd_ps(c1(P2 * Q2), d[1], _mm512_fnmadd_ps(c1(P2 + Q2), d[3], d[5]));
}

// A^T m: the output transform of one line.
static inline void at(const V *m, V *o) {
  V s = _mm512_add_ps(m[1], m[2]), d = _mm512_sub_ps(m[1], m[2]);
  V s2 = _mm512_add_ps(m[3], m[4]), d2 = _mm512_sub_ps(m[3], m[4]);
  o[0] = _mm512_add_ps(_mm512_add_ps(m[0], s), s2);
  o[1] = _mm512_fmadd_ps(c1(Q), d2, _mm512_mul_ps(c1(P), d));
  o[2] = _mm512_fmadd_ps(c1(Q2), s2, _mm512_mul_ps(c1(P2), s));
  o[3] = _mm512_fmadd_ps(c1(Q2 * Q), d2, _mm512_fmadd_ps(c1(P2 * P), d, m[5]));
}

// A y: the transpose of at, from four gradients to six.
static inline void a_up(const V *y, V *o) {
  V s = _mm512_fmadd_ps(c1(P2), y[2], y[0]), d = _mm512_mul_ps(c1(P), _mm512_fmadd_ps(c1(P2), y[3], y[1]));
  V s2 = _mm512_fmadd_ps(c1(Q2), y[2], y[0]), d2 = _mm512_mul_ps(c1(Q), _mm512_fmadd_ps(c1(Q2), y[3], y[1]));
  o[0] = y[0];
  o[1] = _mm512_add_ps(s, d);
  o[2] = _mm512_sub_ps(s, d);
  o[3] = _mm512_add_ps(s2, d2);
  o[4] = _mm512_sub_ps(s2, d2);
  o[5] = y[3];
}

// G's rows are 1, x, x^2 over the product of the differences to the other points.
static constexpr double N0 = P2 * Q2, NP = 2 * P2 * (P2 - Q2), NQ = 2 * Q2 * (Q2 - P2);
static const double G[6][3] = {{1 / N0, 0, 0}, {1 / NP, P / NP, P2 / NP}, {1 / NP, -P / NP, P2 / NP}, {1 / NQ, Q / NQ, Q2 / NQ}, {1 / NQ, -Q / NQ, Q2 / NQ}, {0, 0, 1}};

// g_up is G g: the weights' transform of one line.
static inline void g_up(V a, V b, V c, V *o) {
  V s = _mm512_mul_ps(c1(1 / NP), _mm512_fmadd_ps(c1(P2), c, a)), d = _mm512_mul_ps(c1(P / NP), b);
  V t = _mm512_mul_ps(c1(1 / NQ), _mm512_fmadd_ps(c1(Q2), c, a)), e = _mm512_mul_ps(c1(Q / NQ), b);
  o[0] = _mm512_mul_ps(c1(1 / N0), a);
  o[1] = _mm512_add_ps(s, d);
  o[2] = _mm512_sub_ps(s, d);
  o[3] = _mm512_add_ps(t, e);
  o[4] = _mm512_sub_ps(t, e);
  o[5] = c;
}

int rn_winograd_available(void) { return __builtin_cpu_supports("avx512f"); }

int64_t rn_winograd_packed(int in, int out) { return 36 * (int64_t)in * up32(out); }

// pack transforms scale . w [K,C,3,3] (scale may be NULL) into U [36][out/32][in][32]: in = C, out = K forward; in = K,
// out = C backward.
void rn_winograd_pack(float *u, const float *w, const float *scale, int c, int k, int backward) {
  int in = backward ? k : c, out = backward ? c : k;
  int64_t blocks = up32(out) / 32;
#pragma omp parallel for schedule(static)
  for (int64_t ob = 0; ob < blocks; ob++)
    for (int i = 0; i < in; i++) {
      alignas(64) float g[9][32];
      for (int j = 0; j < 32; j++) {
        int o = (int)ob * 32 + j;
        if (o >= out) {
          for (int q = 0; q < 9; q++) g[q][j] = 0;
          continue;
        }
        const float *f = w + (backward ? (int64_t)i * c + o : (int64_t)o * c + i) * 9;
        float s = scale ? scale[backward ? i : o] : 1;
        for (int q = 0; q < 9; q++) g[q][j] = s * f[backward ? 8 - q : q];
      }
      for (int j = 0; j < 32; j += 16) {
        V t[18], m[6]; // t: the six rows of G g, three columns each
        for (int b = 0; b < 3; b++) {
          g_up(ld(g[b] + j), ld(g[3 + b] + j), ld(g[6 + b] + j), m);
          for (int a = 0; a < 6; a++) t[a * 3 + b] = m[a];
        }
        for (int a = 0; a < 6; a++) {
          g_up(t[a * 3], t[a * 3 + 1], t[a * 3 + 2], m);
          for (int b = 0; b < 6; b++) st(u + (((a * 6 + b) * blocks + ob) * in + i) * 32 + j, m[b]);
        }
      }
    }
}

// input transforms the 6x6 patch of a tile at (ty, tx) of one picture into v[36][stride], channel by channel.
static void input_tile(float *v, int64_t stride, const float *x, int ty, int tx, int h, int w, int c) {
  const float *p[36];
  for (int i = 0; i < 6; i++)
    for (int j = 0; j < 6; j++) {
      int yy = ty + i, xx = tx + j;
      p[i * 6 + j] = yy >= 0 && yy < h && xx >= 0 && xx < w ? x + ((int64_t)yy * w + xx) * c : NULL;
    }
  for (int k = 0; k < c; k += 16) {
    V m[36], d[6], o[6];
    for (int j = 0; j < 6; j++) {
      for (int i = 0; i < 6; i++) d[i] = p[i * 6 + j] ? ld(p[i * 6 + j] + k) : _mm512_setzero_ps();
      bt(d, o);
      for (int i = 0; i < 6; i++) m[i * 6 + j] = o[i];
    }
    for (int i = 0; i < 6; i++) {
      bt(m + i * 6, o);
      for (int j = 0; j < 6; j++) st(v + (i * 6 + j) * stride + k, o[j]);
    }
  }
}

// A sum in float32 loses digits with its length, more than the transforms do: parts of DEPTH are summed apart, which makes
// the error of 256 channels that of a direct convolution.
enum { DEPTH = 64 };

// micro computes R rows of 32 columns: o = a [R,n] * b [n,32].
template <int R> static void micro(const float *a, int64_t lda, const float *b, int n, float *o, int64_t ldo) {
  for (int from = 0; from < n; from += DEPTH) {
    int to = from + DEPTH < n ? from + DEPTH : n;
    V s0[R], s1[R];
    for (int r = 0; r < R; r++) s0[r] = s1[r] = _mm512_setzero_ps();
    for (int i = from; i < to; i++) {
      V b0 = ld(b + (int64_t)i * 32), b1 = ld(b + (int64_t)i * 32 + 16);
      _mm_prefetch((const char *)(b + (int64_t)(i + 12) * 32), _MM_HINT_T0);
      _mm_prefetch((const char *)(b + (int64_t)(i + 12) * 32 + 16), _MM_HINT_T0);
#pragma GCC unroll 14
      for (int r = 0; r < R; r++) {
        V x = c1(a[r * lda + i]);
        s0[r] = _mm512_fmadd_ps(x, b0, s0[r]);
        s1[r] = _mm512_fmadd_ps(x, b1, s1[r]);
      }
    }
    for (int r = 0; r < R; r++) {
      float *p = o + r * ldo;
      st(p, from ? _mm512_add_ps(ld(p), s0[r]) : s0[r]);
      st(p + 16, from ? _mm512_add_ps(ld(p + 16), s1[r]) : s1[r]);
    }
  }
}

typedef void (*Micro)(const float *, int64_t, const float *, int, float *, int64_t);
static const Micro micros[] = {0, micro<1>, micro<2>, micro<3>, micro<4>, micro<5>, micro<6>, micro<7>, micro<8>, micro<9>, micro<10>, micro<11>, micro<12>, micro<13>, micro<14>};
enum { ROWS = 14 };

// product computes rows of 32 columns, in groups of like size: a group of few rows leaves the multipliers idle.
static inline void product(const float *a, int64_t lda, int rows, const float *b, int n, float *o, int64_t ldo) {
  for (int t = 0, groups = (rows + ROWS - 1) / ROWS; t < rows; groups--) {
    int r = (rows - t + groups - 1) / groups;
    micros[r](a + (int64_t)t * lda, lda, b, n, o + t * ldo, ldo);
    t += r;
  }
}

int64_t rn_winograd_scratch(int in, int out) { return 36 * (int64_t)TILES * (in + up32(out)); }

// forward: in is a multiple of 16, out of 16. scratch holds rn_winograd_scratch floats per thread.
void rn_winograd_forward(float *y, const float *x, const float *u, const float *bias, const float *res, int n, int h, int w, int in, int out, int relu, float *scratch) {
  int th = (h + 3) / 4, tw = (w + 3) / 4;
  int64_t wide = up32(out), tiles = (int64_t)n * th * tw, per = rn_winograd_scratch(in, out);
  // Blocks of like size, as many for each thread: small maps have few.
  int64_t threads = omp_get_max_threads(), rounds = (tiles + threads * TILES - 1) / (threads * TILES);
  int64_t size = (tiles + threads * rounds - 1) / (threads * rounds), blocks = (tiles + size - 1) / size;
#pragma omp parallel
  {
    float *vb = scratch + per * omp_get_thread_num(), *mb = vb + 36 * (int64_t)TILES * in;
#pragma omp for schedule(dynamic, 1)
    for (int64_t blk = 0; blk < blocks; blk++) {
      int64_t t0 = blk * size;
      int tn = (int)(tiles - t0 < size ? tiles - t0 : size);
      for (int t = 0; t < tn; t++) {
        int64_t id = t0 + t;
        int img = (int)(id / (th * tw)), ty = (int)(id / tw % th) * 4 - 1, tx = (int)(id % tw) * 4 - 1;
        input_tile(vb + (int64_t)t * in, (int64_t)TILES * in, x + (int64_t)img * h * w * in, ty, tx, h, w, in);
      }
      for (int q = 0; q < 36; q++)
        for (int64_t k = 0; k < wide; k += 32) {
          const float *b = u + (q * (wide / 32) + k / 32) * in * 32, *a = vb + (int64_t)q * TILES * in;
          float *o = mb + (int64_t)q * TILES * wide + k;
          product(a, in, tn, b, in, o, wide);
        }
      for (int t = 0; t < tn; t++) {
        int64_t id = t0 + t;
        int img = (int)(id / (th * tw)), oy = (int)(id / tw % th) * 4, ox = (int)(id % tw) * 4;
        for (int k = 0; k < out; k += 16) {
          V m[24], d[6], o[4], b = bias ? ld(bias + k) : _mm512_setzero_ps();
          for (int j = 0; j < 6; j++) {
            for (int i = 0; i < 6; i++) d[i] = ld(mb + ((int64_t)(i * 6 + j) * TILES + t) * wide + k);
            at(d, o);
            for (int i = 0; i < 4; i++) m[i * 6 + j] = o[i];
          }
          for (int i = 0; i < 4 && oy + i < h; i++) {
            at(m + i * 6, o);
            for (int j = 0; j < 4 && ox + j < w; j++) {
              int64_t off = (((int64_t)img * h + oy + i) * w + ox + j) * out + k;
              V v = _mm512_add_ps(o[j], b);
              if (res) v = _mm512_add_ps(v, ld(res + off));
              // Not "less or equal" is true for a NaN, which is kept.
              if (relu) v = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NLE_UQ), v);
              st(y + off, v);
            }
          }
        }
      }
    }
  }
}

enum { CHUNK = 256 }; // tiles whose transforms are kept before they are multiplied

int64_t rn_winograd_dweights_scratch(int c, int k) { return 36 * (CHUNK * ((int64_t)c + k) + (int64_t)c * k); }

// rank adds a block of c^T m to o [R,32]: R channels of v [n,ldv], 32 of m [n,ldm].
template <int R> static inline void rank(const float *v, int64_t ldv, const float *m, int64_t ldm, int n, float *o, int64_t ldo, int half) {
  V s0[R], s1[R];
  for (int r = 0; r < R; r++) {
    s0[r] = ld(o + r * ldo);
    s1[r] = half ? _mm512_setzero_ps() : ld(o + r * ldo + 16);
  }
  for (int t = 0; t < n; t++) {
    V m0 = ld(m + t * ldm), m1 = half ? _mm512_setzero_ps() : ld(m + t * ldm + 16);
#pragma GCC unroll 14
    for (int r = 0; r < R; r++) {
      V x = c1(v[t * ldv + r]);
      s0[r] = _mm512_fmadd_ps(x, m0, s0[r]);
      s1[r] = _mm512_fmadd_ps(x, m1, s1[r]);
    }
  }
  for (int r = 0; r < R; r++) {
    st(o + r * ldo, s0[r]);
    if (!half) st(o + r * ldo + 16, s1[r]);
  }
}

// dweights: c and k are multiples of 16. Chunks of tiles are transformed by all threads; then each thread multiplies
// whole positions of the 36, so that every sum is taken in one fixed order.
void rn_winograd_dweights(float *dw, const float *dy, const float *x, int n, int h, int w, int c, int k, float *scratch) {
  int th = (h + 3) / 4, tw = (w + 3) / 4;
  int64_t tiles = (int64_t)n * th * tw;
  float *vb = scratch, *mb = vb + 36 * (int64_t)CHUNK * c, *du = mb + 36 * (int64_t)CHUNK * k;
#pragma omp parallel
  {
#pragma omp for schedule(static)
    for (int q = 0; q < 36; q++) memset(du + (int64_t)q * c * k, 0, sizeof(float) * c * k);
    for (int64_t t0 = 0; t0 < tiles; t0 += CHUNK) {
      int tn = (int)(tiles - t0 < CHUNK ? tiles - t0 : CHUNK);
#pragma omp for schedule(static)
      for (int t = 0; t < tn; t++) {
        int64_t id = t0 + t;
        int img = (int)(id / (th * tw)), oy = (int)(id / tw % th) * 4, ox = (int)(id % tw) * 4;
        input_tile(vb + (int64_t)t * c, (int64_t)CHUNK * c, x + (int64_t)img * h * w * c, oy - 1, ox - 1, h, w, c);
        for (int o = 0; o < k; o += 16) {
          V m[24], d[4], e[6];
          for (int j = 0; j < 4; j++) {
            for (int i = 0; i < 4; i++)
              d[i] = oy + i < h && ox + j < w ? ld(dy + (((int64_t)img * h + oy + i) * w + ox + j) * k + o) : _mm512_setzero_ps();
            a_up(d, e);
            for (int i = 0; i < 6; i++) m[i * 4 + j] = e[i];
          }
          for (int i = 0; i < 6; i++) {
            a_up(m + i * 4, e);
            for (int j = 0; j < 6; j++) st(mb + ((int64_t)(i * 6 + j) * CHUNK + t) * k + o, e[j]);
          }
        }
      }
#pragma omp for schedule(static)
      for (int q = 0; q < 36; q++) {
        const float *v = vb + (int64_t)q * CHUNK * c, *m = mb + (int64_t)q * CHUNK * k;
        float *o = du + (int64_t)q * c * k;
        for (int kk = 0; kk < k; kk += 32) {
          int half = k - kk < 32, i = 0;
          for (; i + 14 <= c; i += 14) rank<14>(v + i, c, m + kk, k, tn, o + (int64_t)i * k + kk, k, half);
          for (; i + 4 <= c; i += 4) rank<4>(v + i, c, m + kk, k, tn, o + (int64_t)i * k + kk, k, half);
          for (; i < c; i++) rank<1>(v + i, c, m + kk, k, tn, o + (int64_t)i * k + kk, k, half);
        }
      }
    }
#pragma omp for schedule(static)
    for (int o = 0; o < k; o++)
      for (int i = 0; i < c; i++) {
        double t[3][6];
        for (int a = 0; a < 3; a++)
          for (int b = 0; b < 6; b++) {
            t[a][b] = 0;
            for (int q = 0; q < 6; q++) t[a][b] += G[q][a] * du[((int64_t)(q * 6 + b) * c + i) * k + o];
          }
        for (int a = 0; a < 3; a++)
          for (int b = 0; b < 3; b++) {
            double s = 0;
            for (int q = 0; q < 6; q++) s += t[a][q] * G[q][b];
            dw[((int64_t)o * c + i) * 9 + a * 3 + b] = (float)s;
          }
      }
  }
}

#else
int rn_winograd_available(void) { return 0; }
int64_t rn_winograd_packed(int, int) { return 0; }
void rn_winograd_pack(float *, const float *, const float *, int, int, int) {}
int64_t rn_winograd_scratch(int, int) { return 0; }
void rn_winograd_forward(float *, const float *, const float *, const float *, const float *, int, int, int, int, int, int, float *) {}
int64_t rn_winograd_dweights_scratch(int, int) { return 0; }
void rn_winograd_dweights(float *, const float *, const float *, int, int, int, int, int, float *) {}
#endif
