// Canvases from layers of bytes (internal/media/picture draws them on the host): bilinear without antialiasing, a*value + b by channel, 0
// where nothing is drawn.
#include "elementary.h"

// The two pixels along one side of an image that a position lies between, and the weight of the second.
struct tap {
  int a, b;
  float t;
};

// along is the tap of column or row i by an axis, among m.
DEVICE struct tap along(int i, double step, double start, int mirror, int m) {
  double x = (i + .5) * step + start;
  x = x > 0 ? x : 0;
  struct tap r;
  r.a = x < m - 1 ? (int)x : m - 1;
  r.b = r.a + 1 < m - 1 ? r.a + 1 : m - 1;
  r.t = (float)(x - r.a < 1 ? x - r.a : 1);
  if (mirror) {
    r.a = m - 1 - r.a;
    r.b = m - 1 - r.b;
  }
  return r;
}

// mapped is the tap of a position among m, in 2^-32 px from the border.
DEVICE struct tap mapped(i64 at, int m) {
  const i64 one = 1LL << 32, last = (m - 1) * one;
  at -= one / 2;
  at = at < 0 ? 0 : at < last ? at : last;
  struct tap r;
  r.a = (int)(at >> 32);
  r.b = r.a + 1 < m - 1 ? r.a + 1 : m - 1;
  r.t = (float)(int)((unsigned)at >> 8) * (1.f / (1 << 24));
  return r;
}

DEVICE int holds(struct area a, int x, int y) { return x >= a.x1 && x < a.x2 && y >= a.y1 && y < a.y2; }

// recolour is a row of a matrix times a colour, clipped, and its gamma.
DEVICE float recolour(const float *row, const float *v, float gamma) {
  float c = row[0] * v[0] + row[1] * v[1] + row[2] * v[2] + row[3];
  c = c > 0 ? c < 255 ? c : 255 : 0;
  return gamma == 1 ? c : gamma_of(c, gamma);
}

// draw lays a layer over the colour of a pixel.
DEVICE void draw(const struct layer *l, const unsigned char *bytes, const struct canvas *canvas, int x, int y, float *out) {
  if (!holds(l->area, x, y)) return;
  struct tap across, down;
  if (l->mapped) {
    i64 u = l->map[0] * x + l->map[1] * y + l->map[2], v = l->map[3] * x + l->map[4] * y + l->map[5];
    if (u < 0 || v < 0 || u >= (i64)l->w << 32 || v >= (i64)l->h << 32) return;
    across = mapped(u, l->w);
    down = mapped(v, l->h);
  } else {
    across = along(x, l->step_x, l->start_x, l->mirror_x, l->w);
    down = along(y, l->step_y, l->start_y, l->mirror_y, l->h);
  }
  const unsigned char *upper = bytes + l->pixels + 3 * (i64)down.a * l->w, *lower = bytes + l->pixels + 3 * (i64)down.b * l->w;
  float v[3];
  for (int c = 0; c < 3; c++) {
    float q[4] = {(float)upper[3 * (i64)across.a + c], (float)upper[3 * (i64)across.b + c], (float)lower[3 * (i64)across.a + c], (float)lower[3 * (i64)across.b + c]};
    float first = q[0] + down.t * (q[2] - q[0]), second = q[1] + down.t * (q[3] - q[1]);
    v[c] = first + across.t * (second - first);
  }
  for (int c = 0; c < 3; c++) {
    float p = (l->recoloured ? recolour(l->colour + 4 * c, v, l->gamma) : v[c]) * canvas->scale[c] + canvas->shift[c];
    out[c] = l->weight == 1 ? p : l->weight * p + (1 - l->weight) * out[c];
  }
}

// images [canvases, h, w, 3]; a block is of one canvas (y).
KERNEL prepare(float *images, const unsigned char *bytes, const struct canvas *canvases, const struct layer *layers, const struct area *fill, int h, int w) {
  const struct canvas *canvas = canvases + BLOCK_Y;
  float *to = images + BLOCK_Y * h * w * 3;
  EACH(i, (i64)h * w) {
    int y = (int)(i / w), x = (int)(i % w);
    float out[3] = {0, 0, 0};
    for (int k = canvas->layer; k < canvas->layers_end; k++) draw(layers + k, bytes, canvas, x, y, out);
    for (int k = canvas->fill; k < canvas->fill_end; k++)
      if (holds(fill[k], x, y)) out[0] = out[1] = out[2] = 0;
    for (int c = 0; c < 3; c++) to[3 * i + c] = out[c];
  }
}
