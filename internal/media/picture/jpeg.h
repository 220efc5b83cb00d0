#ifndef RETINAGO_JPEG_H
#define RETINAGO_JPEG_H
#include <stddef.h>
#include <stdint.h>

enum { RN_JPEG_OK, RN_JPEG_FAILED, RN_JPEG_STOPPED };

enum { RN_JPEG_MESSAGE = 256 };

typedef struct {
  int denom;            // that the sides are divided by: 1, 2, 4 or 8
  int turn;             // EXIF orientation, 1 to 8, that is undone
  int64_t most_memory;  // bytes that libjpeg may take
  int64_t most_work;    // pixels of all scans together
} rn_jpeg_options;

// rn_jpeg_decode writes a JPEG of n bytes as RGB, upright. w and h are its sides as stored, divided and rounded up. When *stop is not
// 0 it ends with RN_JPEG_STOPPED; RN_JPEG_FAILED comes with a message.
int rn_jpeg_decode(uint8_t *pix, uint32_t w, uint32_t h, const uint8_t *file, size_t n, const rn_jpeg_options *o, const int32_t *stop,
                   char message[RN_JPEG_MESSAGE]);

// rn_jpeg_encode makes a JPEG at *file, of *n bytes, which the caller frees, also after a failure.
int rn_jpeg_encode(uint8_t **file, unsigned long *n, const uint8_t *pix, uint32_t w, uint32_t h, int quality, char message[RN_JPEG_MESSAGE]);
#endif
