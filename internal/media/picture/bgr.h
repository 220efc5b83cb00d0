#ifndef RETINAGO_BGR_H
#define RETINAGO_BGR_H
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// rn_picture_turn writes n pixels with their first and third byte changed over. dst and src may not overlap.
void rn_picture_turn(uint8_t *dst, const uint8_t *src, int64_t n);

// rn_picture_swap is rn_picture_turn in place.
void rn_picture_swap(uint8_t *pix, int64_t n);

#ifdef __cplusplus
}
#endif
#endif
