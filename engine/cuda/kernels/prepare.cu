// Pictures of bytes onto canvases (picture.Input.Fill): bilinear without antialiasing, a*value + b by channel, 0 beside and below.
#include "device.h"

// tap finds the two of m source pixels that target pixel i of n lies between, and the weight of the second. The ratio is a float32, as
// torch's, and the rest float64.
DEVICE float tap(int i, int n, int m, int *a, int *b) {
  double x = (i + .5) * (double)((float)m / (float)n) - .5;
  x = x > 0 ? x : 0;
  *a = (int)x < m - 1 ? (int)x : m - 1;
  *b = *a + 1 < m - 1 ? *a + 1 : m - 1;
  return (float)(x - *a < 1 ? x - *a : 1);
}

// images [pictures, h, w, 3]; a block is of one picture (y).
KERNEL prepare(float *images, const unsigned char *bytes, const struct placing *placings, int h, int w) {
  struct placing p = placings[BLOCK_Y];
  const unsigned char *from = bytes + p.pixels;
  float *to = images + BLOCK_Y * h * w * 3;
  EACH(i, (i64)h * w) {
    int y = (int)(i / w), x = (int)(i % w);
    if (y >= p.h || x >= p.w) {
      for (int c = 0; c < 3; c++) to[3 * i + c] = 0;
      continue;
    }
    int left, right, upper, lower;
    float across = tap(x, p.w, p.from_w, &left, &right), down = tap(y, p.h, p.from_h, &upper, &lower);
    if (p.flip) {
      left = p.from_w - 1 - left;
      right = p.from_w - 1 - right;
    }
    for (int c = 0; c < 3; c++) {
      float q[4] = {(float)from[3 * ((i64)upper * p.from_w + left) + c], (float)from[3 * ((i64)upper * p.from_w + right) + c],
                    (float)from[3 * ((i64)lower * p.from_w + left) + c], (float)from[3 * ((i64)lower * p.from_w + right) + c]};
      float first = q[0] + down * (q[2] - q[0]), second = q[1] + down * (q[3] - q[1]);
      to[3 * i + c] = (first + across * (second - first)) * p.scale[c] + p.shift[c];
    }
  }
}
