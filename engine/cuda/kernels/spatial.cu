// Max-pooling and nearest-neighbour upsampling of [n,h,w,c]. Gradients are gathered by the pixel that they are of, so that no
// two threads write to one place.
#include "activation.h"

KERNEL NAME(max_pool)(T *y, const T *x, int n, int h, int w, int c, int oh, int ow, int kernel, int stride, int pad) {
  EACH(i, (i64)n * oh * ow * c) {
    i64 p = i / c, row = p / ow;
    int k = i % c, top = (int)(row % oh) * stride - pad, left = (int)(p % ow) * stride - pad;
    const T *in = x + row / oh * h * w * c + k;
    float most = -INF;
    for (int yy = top; yy < top + kernel; yy++)
      for (int xx = left; xx < left + kernel; xx++)
        if (yy >= 0 && yy < h && xx >= 0 && xx < w) {
          float v = in[((i64)yy * w + xx) * c];
          most = v > most || v != v ? v : most;
        }
    y[i] = most;
  }
}

// dx is the sum of dy over the windows whose first maximum is here.
KERNEL NAME(max_pool_grad)(T *dx, const T *dy, const T *x, const T *y, int n, int h, int w, int c, int oh, int ow, int kernel, int stride, int pad) {
  EACH(i, (i64)n * h * w * c) {
    i64 p = i / c, image = p / w / h;
    int k = i % c, xx = (int)(p % w), yy = (int)(p / w % h);
    const T *in = x + image * h * w * c + k;
    float v = x[i], g = 0;
    int from = yy + pad - kernel + 1, first = from > 0 ? (from + stride - 1) / stride : 0;
    int side = xx + pad - kernel + 1, begin = side > 0 ? (side + stride - 1) / stride : 0;
    for (int oy = first; oy < oh && oy * stride - pad <= yy; oy++)
      for (int ox = begin; ox < ow && ox * stride - pad <= xx; ox++) {
        i64 o = ((image * oh + oy) * ow + ox) * c + k;
        if (v != y[o]) continue;
        int top = oy * stride - pad, left = ox * stride - pad, before = (yy - top) * kernel + xx - left, earlier = 0;
        for (int q = 0; q < before; q++) {
          int qy = top + q / kernel, qx = left + q % kernel;
          if (qy >= 0 && qx >= 0 && qx < w && in[((i64)qy * w + qx) * c] == v) earlier = 1;
        }
        if (!earlier) g += dy[o];
      }
    dx[i] = g;
  }
}

KERNEL NAME(upsample_add)(T *y, const T *top, const T *lateral, int n, int h, int w, int th, int tw, int c) {
  EACH(i, (i64)n * h * w * c) {
    i64 p = i / c, row = p / w, image = row / h, ty = row % h * th / h, tx = p % w * tw / w;
    y[i] = lateral[i] + top[((image * th + ty) * tw + tx) * c + i % c];
  }
}

KERNEL NAME(upsample_grad)(T *dtop, const T *dy, int n, int h, int w, int th, int tw, int c) {
  EACH(i, (i64)n * th * tw * c) {
    i64 p = i / c, row = p / tw, image = row / th, ty = row % th, tx = p % tw;
    float g = 0;
    for (i64 yy = (ty * h + th - 1) / th; yy < h && yy * th / h == ty; yy++)
      for (i64 xx = (tx * w + tw - 1) / tw; xx < w && xx * tw / w == tx; xx++) g += dy[((image * h + yy) * w + xx) * c + i % c];
    dtop[i] = g;
  }
}
