#ifndef RETINAGO_FILTER_H
#define RETINAGO_FILTER_H
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// rn_picture_noise adds normal deviates of a standard deviation to n values, which are an image's from the value with number first on.
// A deviate depends on the seed and the value's number alone.
void rn_picture_noise(uint8_t *pix, int64_t n, uint32_t first, uint64_t seed, float deviation);

// rn_picture_blur writes the mean of each pixel of src [h,w,3] and its neighbours, weighted by weights [2*radius+1] along both sides. Beyond
// the border pixels continue. row has room for 3*(w + 2*radius) floats.
void rn_picture_blur(uint8_t *dst, const uint8_t *src, int64_t w, int64_t h, const float *weights, int64_t radius, float *row);

#ifdef __cplusplus
}
#endif
#endif
