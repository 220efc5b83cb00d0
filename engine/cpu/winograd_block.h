// The Winograd kernels (Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks") in terms of what the file
// that includes it says of one instruction set: LANES of a vector, and ROWS of products that stay in registers, two vectors
// each. They are 36 batched matrix products over blocks of tiles that are about as large as the L2 cache.
//
//   forward, by data:  Y = A^T [ (G g G^T) . (B^T d B) ] A
//   by weights:        dg = G^T [ sum over tiles of (A dY A^T) . (B^T d B) ] G
//
// The gradient by data is a forward pass with the weights turned by 180 degrees and their channels exchanged. Where channels
// are no multiple of LANES, the last vector of them begins earlier, and a few are computed twice.

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-trapping-math")
#endif

typedef float V __attribute__((vector_size(4 * LANES)));
typedef float U __attribute__((vector_size(4 * LANES), aligned(4), may_alias)); // V anywhere in memory

static inline V ld(const float *p) { return *(const U *)p; }
static inline void st(float *p, V v) { *(U *)p = v; }

enum { PANEL = 2 * LANES };   // columns of a product
enum { SPAN = 256 };          // columns, at most, that are transformed at once
enum { TILES = LANES == 16 ? 2 * ROWS : 4 * ROWS }; // tiles of one block: whole rounds of ROWS

static inline int64_t up(int64_t n, int to) { return (n + to - 1) / to * to; }

// start is where the vector of channels from k on begins, of n in all.
static inline int start(int k, int n) { return k + LANES <= n ? k : n - LANES; }

// The polynomials are taken at 0, P, -P, Q, -Q and infinity. Rounding errors depend on the points: these were found by
// search to lose a quarter of the largest and half of the mean error of the usual 1 and 2. Their powers are exact.
static constexpr float P = 11.f / 16, Q = 3.f / 2, P2 = P * P, Q2 = Q * Q;

// B^T d: the input transform of one line.
static inline void bt(const V *d, V *o) {
  V a = d[4] - Q2 * d[2], b = d[3] - Q2 * d[1];
  V c = d[4] - P2 * d[2], e = d[3] - P2 * d[1];
  o[0] = P2 * Q2 * d[0] + (d[4] - (P2 + Q2) * d[2]);
  o[1] = a + P * b;
  o[2] = a - P * b;
  o[3] = c + Q * e;
  o[4] = c - Q * e;
  o[5] = P2 * Q2 * d[1] + (d[5] - (P2 + Q2) * d[3]);
}

// A^T m: the output transform of one line.
static inline void at(const V *m, V *o) {
  V s = m[1] + m[2], d = m[1] - m[2], s2 = m[3] + m[4], d2 = m[3] - m[4];
  o[0] = m[0] + s + s2;
  o[1] = P * d + Q * d2;
  o[2] = P2 * s + Q2 * s2;
  o[3] = P2 * P * d + m[5] + Q2 * Q * d2;
}

// A y: the transpose of at, from four gradients to six.
static inline void a_up(const V *y, V *o) {
  V s = y[0] + P2 * y[2], d = P * (y[1] + P2 * y[3]);
  V s2 = y[0] + Q2 * y[2], d2 = Q * (y[1] + Q2 * y[3]);
  o[0] = y[0];
  o[1] = s + d;
  o[2] = s - d;
  o[3] = s2 + d2;
  o[4] = s2 - d2;
  o[5] = y[3];
}

// G's rows are 1, x, x^2 over the product of the differences to the other points: N0, NP and NQ, twice each but the first;
// the last row is 0, 0, 1.
static constexpr double N0 = P2 * Q2, NP = 2. * P2 * (P2 - Q2), NQ = 2. * Q2 * (Q2 - P2);

// g_up is G g: the weights' transform of one line.
static inline void g_up(V a, V b, V c, V *o) {
  V s = (float)(1 / NP) * (a + P2 * c), d = (float)(P / NP) * b;
  V t = (float)(1 / NQ) * (a + Q2 * c), e = (float)(Q / NQ) * b;
  o[0] = (float)(1 / N0) * a;
  o[1] = s + d;
  o[2] = s - d;
  o[3] = t + e;
  o[4] = t - e;
  o[5] = c;
}

// g_down is G^T m, the transpose of g_up.
static inline void g_down(const V *m, V *o) {
  V s = m[1] + m[2], d = m[1] - m[2], t = m[3] + m[4], e = m[3] - m[4];
  o[0] = (float)(1 / N0) * m[0] + (float)(1 / NP) * s + (float)(1 / NQ) * t;
  o[1] = (float)(P / NP) * d + (float)(Q / NQ) * e;
  o[2] = (float)(P2 / NP) * s + (float)(Q2 / NQ) * t + m[5];
}

static int64_t packed(int in, int out) { return 36 * in * up(out, PANEL); }

// pack lays weights out as U [36][out/PANEL][in][PANEL], filled up with zeros. A few rows of a panel are made in the cache before
// they go to their 36 places, which lie too regularly for it.
static void pack(float *u, const float *w, const float *scale, int c, int k, int backward) {
  enum { SOME = 8 };
  int in = backward ? k : c, out = backward ? c : k;
  int64_t blocks = up(out, PANEL) / PANEL;
#pragma omp parallel for collapse(2) schedule(static)
  for (int64_t ob = 0; ob < blocks; ob++)
    for (int i0 = 0; i0 < in; i0 += SOME) {
      int rows = in - i0 < SOME ? in - i0 : SOME;
      float g[SOME][9][PANEL], v[36][SOME * PANEL];
      for (int j = 0; j < PANEL; j++) {
        int o = (int)ob * PANEL + j;
        for (int r = 0; r < rows; r++) {
          if (o >= out) {
            for (int q = 0; q < 9; q++) g[r][q][j] = 0;
            continue;
          }
          const float *f = w + (backward ? (int64_t)(i0 + r) * c + o : (int64_t)o * c + i0 + r) * 9;
          float s = scale ? scale[backward ? i0 + r : o] : 1;
          for (int q = 0; q < 9; q++) g[r][q][j] = s * f[backward ? 8 - q : q];
        }
      }
      for (int r = 0; r < rows; r++)
        for (int j = 0; j < PANEL; j += LANES) {
          V t[18], m[6]; // t: the six rows of G g, three columns each
          for (int b = 0; b < 3; b++) {
            g_up(ld(g[r][b] + j), ld(g[r][3 + b] + j), ld(g[r][6 + b] + j), m);
            for (int a = 0; a < 6; a++) t[a * 3 + b] = m[a];
          }
          for (int a = 0; a < 6; a++) {
            g_up(t[a * 3], t[a * 3 + 1], t[a * 3 + 2], m);
            for (int b = 0; b < 6; b++) st(v[a * 6 + b] + r * PANEL + j, m[b]);
          }
        }
      for (int q = 0; q < 36; q++) memcpy(u + ((q * blocks + ob) * in + i0) * PANEL, v[q], sizeof(float) * rows * PANEL);
    }
}

// Place is a tile: its map, its image there, and its first row and column of the output.
struct Place {
  const Maps::Map *map;
  int64_t image;
  int y, x;
  Place(const Maps &m, int64_t tile) : map(m.list + m.n - 1) {
    while (map->first > tile) map--;
    int64_t id = tile - map->first, row = id / map->tw;
    image = row / map->th;
    y = (int)(row % map->th) * 4;
    x = (int)(id % map->tw) * 4;
  }
  // at is where the c channels of a pixel begin.
  int64_t at(int row, int column, int c) const { return ((image * map->h + row) * map->w + column) * c; }
};

// input transforms the 6x6 patch of a tile into v[36][stride], channel by channel.
static void input(float *v, int64_t stride, Place p, int c) {
  int h = p.map->h, w = p.map->w;
  const float *from[36];
  for (int i = 0; i < 6; i++)
    for (int j = 0; j < 6; j++) {
      int yy = p.y - 1 + i, xx = p.x - 1 + j;
      from[i * 6 + j] = yy >= 0 && yy < h && xx >= 0 && xx < w ? p.map->x + p.at(yy, xx, c) : NULL;
    }
  for (int kk = 0; kk < c; kk += LANES) {
    int k = start(kk, c);
    V m[36], d[6], o[6];
    for (int j = 0; j < 6; j++) {
      for (int i = 0; i < 6; i++) d[i] = from[i * 6 + j] ? ld(from[i * 6 + j] + k) : V{};
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

enum { LINE = 16 }; // floats of a line of the cache

// micro computes R rows of a panel: o = a [R,n] * b [n,PANEL]. Meanwhile n lines from ahead on come into the L2 cache.
template <int R> static void micro(const float *a, int64_t lda, const float *b, int n, float *o, int64_t ldo, const float *ahead) {
  for (int from = 0; from < n; from += DEPTH) {
    int to = from + DEPTH < n ? from + DEPTH : n;
    V s0[R], s1[R];
    for (int r = 0; r < R; r++) s0[r] = s1[r] = V{};
    for (int i = from; i < to; i++) {
      V b0 = ld(b + (int64_t)i * PANEL), b1 = ld(b + (int64_t)i * PANEL + LANES);
      __builtin_prefetch(b + (int64_t)(i + 12) * PANEL);
      if (LANES > 8) __builtin_prefetch(b + (int64_t)(i + 12) * PANEL + LANES);
      __builtin_prefetch(ahead + (int64_t)i * LINE, 0, 2);
#pragma GCC unroll 14
      for (int r = 0; r < R; r++) {
        s0[r] += a[r * lda + i] * b0;
        s1[r] += a[r * lda + i] * b1;
      }
    }
    for (int r = 0; r < R; r++) {
      float *p = o + r * ldo;
      st(p, from ? ld(p) + s0[r] : s0[r]);
      st(p + LANES, from ? ld(p + LANES) + s1[r] : s1[r]);
    }
  }
}

// group computes rows of a panel, R at most.
template <int R> static inline void group(int rows, const float *a, int64_t lda, const float *b, int n, float *o, int64_t ldo, const float *ahead) {
  if constexpr (R > 1)
    if (rows < R) return group<R - 1>(rows, a, lda, b, n, o, ldo, ahead);
  micro<R>(a, lda, b, n, o, ldo, ahead);
}

// product computes rows of a panel, in groups of like size: a group of few rows leaves the multipliers idle. Only the first group
// waits for the panel, so that all of them fetch the next one: the way from the L3 cache or memory, which other programs use too,
// is then busy all the time.
static inline void product(const float *a, int64_t lda, int rows, const float *b, int n, float *o, int64_t ldo, const float *next) {
  const float *end = next + (int64_t)n * PANEL;
  for (int t = 0, groups = (rows + ROWS - 1) / ROWS; t < rows; groups--) {
    int r = (rows - t + groups - 1) / groups;
    group<ROWS>(r, a + (int64_t)t * lda, lda, b, n, o + t * ldo, ldo, next);
    if (next < end) next += (int64_t)n * LINE;
    t += r;
  }
}

// span is the channels of the output that are computed at once: each span reads the transforms of the input again. Where the
// last vector begins earlier it reads what another span would have, so there is one.
static int64_t span(int out) {
  int64_t wide = up(out, PANEL);
  return out % LANES || wide < SPAN ? wide : SPAN;
}

// apart is the distance of 36 matrices of so many elements. What belongs to one tile is written and read together: at multiples
// of 4096 bytes it would all be in one set of the cache.
static int64_t apart(int64_t size) { return size + 16; }

static int64_t scratch_size(int in, int out) { return 36 * (apart(TILES * in) + apart(TILES * span(out))); }

// Output is what happens to the sums of c channels.
struct Output {
  const float *bias;
  int c, relu;
  float slope, cap;
};

// output transforms the products m[36][stride] of a tile back, for the vector of channels from k on.
static inline void output(const Output &o, const float *m, int64_t stride, Place p, int k) {
  V s[24], d[6], line[4], b = o.bias ? ld(o.bias + k) : V{};
  for (int j = 0; j < 6; j++) {
    for (int i = 0; i < 6; i++) d[i] = ld(m + (i * 6 + j) * stride);
    at(d, line);
    for (int i = 0; i < 4; i++) s[i * 6 + j] = line[i];
  }
  for (int i = 0; i < 4 && p.y + i < p.map->h; i++) {
    at(s + i * 6, line);
    for (int j = 0; j < 4 && p.x + j < p.map->w; j++) {
      int64_t off = p.at(p.y + i, p.x + j, o.c) + k;
      V v = line[j] + b;
      if (p.map->res) v += ld(p.map->res + off);
      if (o.relu) v = v <= V{} ? o.slope * v : v; // a NaN is kept
      if (o.cap > 0) v = v > o.cap ? V{} + o.cap : v;
      st(p.map->y + off, v);
    }
  }
}

static void forward(const Maps &maps, const float *u, const float *bias, int in, int out, int relu, float slope, float cap, float *scratch) {
  const Output o{bias, out, relu, slope, cap};
  int64_t wide = up(out, PANEL), cols = span(out), tiles = maps.tiles, per = scratch_size(in, out);
  int64_t va = apart(TILES * in), ma = apart(TILES * cols);
  // Blocks of like size, as many for each thread: small maps have few.
  int64_t threads = omp_get_max_threads(), rounds = (tiles + threads * TILES - 1) / (threads * TILES);
  int64_t size = (tiles + threads * rounds - 1) / (threads * rounds), blocks = (tiles + size - 1) / size;
#pragma omp parallel
  {
    float *vb = scratch + per * omp_get_thread_num(), *mb = vb + 36 * va;
#pragma omp for schedule(dynamic, 1)
    for (int64_t blk = 0; blk < blocks; blk++) {
      int64_t t0 = blk * size;
      int tn = (int)(tiles - t0 < size ? tiles - t0 : size);
      for (int t = 0; t < tn; t++) input(vb + (int64_t)t * in, va, Place(maps, t0 + t), in);
      for (int64_t from = 0; from < out; from += cols) {
        int64_t to = from + cols < wide ? from + cols : wide;
        for (int q = 0; q < 36; q++)
          for (int64_t k = from; k < to; k += PANEL) {
            const float *b = u + (q * wide + k) * in, *a = vb + q * va;
            const float *next = k + PANEL < to ? b + (int64_t)PANEL * in : q < 35 ? u + ((q + 1) * wide + from) * in : u + (to < wide ? to : 0) * in;
            product(a, in, tn, b, in, mb + q * ma + (k - from), cols, next);
          }
        int end = (int)(to < out ? to : out);
        for (int t = 0; t < tn; t++) {
          Place p(maps, t0 + t);
          for (int kk = (int)from; kk < end; kk += LANES) {
            int k = start(kk, out);
            output(o, mb + (int64_t)t * cols + (k - from), ma, p, k);
          }
        }
      }
    }
  }
}

enum { CHUNK = 256 }; // tiles whose transforms are kept before they are multiplied

static int64_t dweights_scratch(int c, int k) {
  int64_t wide = up(k, LANES);
  return 36 * (apart(CHUNK * c) + apart(CHUNK * wide) + apart(c * wide));
}

// rank adds R channels of v [n,ldv] times NV vectors of m [n,ldm] to o [R,ldo].
template <int R, int NV> static inline void rank(const float *v, int64_t ldv, const float *m, int64_t ldm, int n, float *o, int64_t ldo) {
  V s[R][NV];
  for (int r = 0; r < R; r++)
    for (int q = 0; q < NV; q++) s[r][q] = ld(o + r * ldo + q * LANES);
  for (int t = 0; t < n; t++) {
    V b[NV];
    for (int q = 0; q < NV; q++) b[q] = ld(m + t * ldm + q * LANES);
#pragma GCC unroll 14
    for (int r = 0; r < R; r++)
#pragma GCC unroll 2
      for (int q = 0; q < NV; q++) s[r][q] += v[t * ldv + r] * b[q];
  }
  for (int r = 0; r < R; r++)
    for (int q = 0; q < NV; q++) st(o + r * ldo + q * LANES, s[r][q]);
}

// ranks adds c channels of v times NV vectors of m.
template <int NV> static inline void ranks(int c, const float *v, const float *m, int64_t ldm, int n, float *o, int64_t ldo) {
  int i = 0;
  for (; i + ROWS <= c; i += ROWS) rank<ROWS, NV>(v + i, c, m, ldm, n, o + i * ldo, ldo);
  for (; i + 4 <= c; i += 4) rank<4, NV>(v + i, c, m, ldm, n, o + i * ldo, ldo);
  for (; i < c; i++) rank<1, NV>(v + i, c, m, ldm, n, o + i * ldo, ldo);
}

// dweights transforms chunks of tiles by all threads; then each thread multiplies whole positions of the 36, so that every
// sum is taken in one fixed order. Rows of dy's transforms are filled up to whole vectors by values that are not read.
static void dweights(float *dw, const Maps &maps, int c, int k, float *scratch) {
  int64_t tiles = maps.tiles, wide = up(k, LANES);
  int64_t va = apart(CHUNK * c), ma = apart(CHUNK * wide), da = apart(c * wide);
  float *vb = scratch, *mb = vb + 36 * va, *du = mb + 36 * ma;
#pragma omp parallel
  {
#pragma omp for schedule(static)
    for (int q = 0; q < 36; q++) memset(du + q * da, 0, sizeof(float) * c * wide);
    for (int64_t t0 = 0; t0 < tiles; t0 += CHUNK) {
      int tn = (int)(tiles - t0 < CHUNK ? tiles - t0 : CHUNK);
#pragma omp for schedule(static)
      for (int t = 0; t < tn; t++) {
        Place p(maps, t0 + t);
        const float *dy = p.map->y;
        int h = p.map->h, w = p.map->w;
        input(vb + (int64_t)t * c, va, p, c);
        for (int kk = 0; kk < k; kk += LANES) {
          int o = start(kk, k);
          V m[24], d[4], e[6];
          for (int j = 0; j < 4; j++) {
            for (int i = 0; i < 4; i++) d[i] = p.y + i < h && p.x + j < w ? ld(dy + p.at(p.y + i, p.x + j, k) + o) : V{};
            a_up(d, e);
            for (int i = 0; i < 6; i++) m[i * 4 + j] = e[i];
          }
          for (int i = 0; i < 6; i++) {
            a_up(m + i * 4, e);
            for (int j = 0; j < 6; j++) st(mb + (i * 6 + j) * ma + t * wide + o, e[j]);
          }
        }
      }
#pragma omp for schedule(static)
      for (int q = 0; q < 36; q++) {
        const float *v = vb + q * va, *m = mb + q * ma;
        float *o = du + q * da;
        int64_t kk = 0;
        for (; kk + PANEL <= wide; kk += PANEL) ranks<2>(c, v, m + kk, wide, tn, o + kk, wide);
        if (kk < wide) ranks<1>(c, v, m + kk, wide, tn, o + kk, wide);
      }
    }
#pragma omp for schedule(static)
    for (int i = 0; i < c; i++)
      for (int kk = 0; kk < k; kk += LANES) {
        int o = start(kk, k);
        V t[18], m[6], g[3]; // t: the six columns of G^T dg', three rows each
        float lines[9][LANES];
        for (int b = 0; b < 6; b++) {
          for (int a = 0; a < 6; a++) m[a] = ld(du + (a * 6 + b) * da + i * wide + o);
          g_down(m, g);
          for (int a = 0; a < 3; a++) t[a * 6 + b] = g[a];
        }
        for (int a = 0; a < 3; a++) {
          g_down(t + a * 6, g);
          for (int b = 0; b < 3; b++) st(lines[a * 3 + b], g[b]);
        }
        for (int j = 0; j < LANES; j++)
          for (int q = 0; q < 9; q++) dw[((int64_t)(o + j) * c + i) * 9 + q] = lines[q][j];
      }
  }
}

#define KERNELS {LANES, packed, pack, scratch_size, forward, dweights_scratch, dweights}
