#ifndef RETINAGO_SCENE_H
#define RETINAGO_SCENE_H
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// rn_tap is the two pixels of an image, as offsets of their first byte in a row, or as rows, that a pixel of the canvas lies between, and the
// weight of the second.
typedef struct {
  int32_t a, b;
  float t;
} rn_tap;

// rn_area is the columns x1 to x2 and rows y1 to y2 of a canvas, without the last.
typedef struct {
  int32_t x1, y1, x2, y2;
} rn_area;

// rn_layer is engine.Layer.
typedef struct {
  const uint8_t *pix;     // [h,w,3]
  int64_t w, h;
  rn_area area;
  const rn_tap *xs, *ys;  // of the columns and rows of area; NULL where map replaces them
  int64_t first, used;    // bytes of a row that xs reads: its offsets count from the first of them
  int64_t map[6];
  int32_t recoloured;     // colour and gamma change something
  float colour[12], gamma, weight;
} rn_layer;

// rn_picture_draw writes the rows from..to of a canvas [*, canvas_w, 3]: layers from the bottom to the top, value*scale + shift by channel,
// then 0 in the areas of fill, and 0 where nothing is drawn. source has room for used + 1 floats of every layer, and values for 3*canvas_w + 4.
void rn_picture_draw(float *dst, int64_t canvas_w, int64_t from, int64_t to, const rn_layer *layers, int64_t n, const rn_area *fill, int64_t fills,
                     const float *scale, const float *shift, float *source, float *values);

#ifdef __cplusplus
}
#endif
#endif
