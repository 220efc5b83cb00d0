#ifndef RETINAGO_JPEG_H
#define RETINAGO_JPEG_H
#include <stddef.h>
#include <stdint.h>

enum { RN_JPEG_OK, RN_JPEG_FAILED, RN_JPEG_COLOURS };

enum { RN_JPEG_MESSAGE = 256 };

// rn_jpeg_decode writes a JPEG of n bytes as RGB [h,w,3], its sides divided by denom (1, 2, 4 or 8) and rounded up.
// RN_JPEG_COLOURS says that libjpeg has no RGB for its colours; RN_JPEG_FAILED comes with a message.
int rn_jpeg_decode(uint8_t *pix, uint32_t w, uint32_t h, const uint8_t *file, size_t n, int denom, char message[RN_JPEG_MESSAGE]);

// rn_jpeg_encode makes a JPEG at *file, of *n bytes, which the caller frees, also after a failure.
int rn_jpeg_encode(uint8_t **file, unsigned long *n, const uint8_t *pix, uint32_t w, uint32_t h, int quality, char message[RN_JPEG_MESSAGE]);
#endif
