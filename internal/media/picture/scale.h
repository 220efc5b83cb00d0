#ifndef RETINAGO_SCALE_H
#define RETINAGO_SCALE_H
#include "scene.h"

#ifdef __cplusplus
extern "C" {
#endif

// rn_picture_rows writes the target rows from..to of a canvas [h, canvas_w, 3]: those of ys are src [*, src_w, 3] scaled
// and then value*scale + shift per channel, with 0 to their right; those beyond h are 0. ys are in rows of src. row has
// room for 3*src_w + 1 floats.
void rn_picture_rows(float *dst, int64_t canvas_w, const uint8_t *src, int64_t src_w, const rn_tap *xs, int64_t w, const rn_tap *ys, int64_t h,
                   int64_t from, int64_t to, const float *scale, const float *shift, float *row);

// rn_picture_turn writes n pixels with their first and third byte changed over. dst and src may not overlap.
void rn_picture_turn(uint8_t *dst, const uint8_t *src, int64_t n);

// rn_picture_swap is rn_picture_turn in place.
void rn_picture_swap(uint8_t *pix, int64_t n);

// rn_picture_trim gives memory that C has freed back to the system, where the C library can.
void rn_picture_trim(void);

#ifdef __cplusplus
}
#endif
#endif
