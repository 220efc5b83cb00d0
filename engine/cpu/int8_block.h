// The micro-kernel of int8 convolutions, in terms of what the file that includes it says of one instruction set:
//
//   I, LANES        a register of s32 sums, and how many it holds
//   W, X            four s8 weights for every lane; four u8 inputs, the same in every lane; both as dot wants them
//   load, store     sums from and to memory
//   weights, splat  W from 4*LANES bytes, X from 4 bytes
//   dot(a, x, w)    a + the sum of the four products of each lane

// Weights come from the L2 cache, since those of a block are larger than L1: this far ahead, in bytes.
enum { AHEAD = 1024 };

// tile is Dot.run for M pixels and NV registers of outputs, out of rows of ldacc sums and ldw bytes of weights.
template <int M, int NV> static void tile(int32_t *acc, int ldacc, const uint8_t *const *rows, int taps, int steps, const int8_t *w, int ldw, const int32_t *init) {
  I a[M][NV];
#pragma GCC unroll 16
  for (int m = 0; m < M; m++)
#pragma GCC unroll 16
    for (int v = 0; v < NV; v++) a[m][v] = load(init + v * LANES);
  for (int t = 0; t < taps; t++, rows += M) {
    const uint8_t *p[M];
#pragma GCC unroll 16
    for (int m = 0; m < M; m++) p[m] = rows[m];
#pragma GCC unroll 1
    for (int s = 0; s < steps; s++, w += ldw) {
      W b[NV];
#pragma GCC unroll 16
      for (int v = 0; v < NV; v++) {
        b[v] = weights(w + 4 * LANES * v);
        __builtin_prefetch(w + AHEAD + 4 * LANES * v);
      }
#pragma GCC unroll 16
      for (int m = 0; m < M; m++) {
        X x = splat(p[m] + 4 * s);
#pragma GCC unroll 16
        for (int v = 0; v < NV; v++) a[m][v] = dot(a[m][v], x, b[v]);
      }
    }
  }
#pragma GCC unroll 16
  for (int m = 0; m < M; m++)
#pragma GCC unroll 16
    for (int v = 0; v < NV; v++) store(acc + m * ldacc + v * LANES, a[m][v]);
}
