// libwebp's decoder of lossy images.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { RN_VP8_OK, RN_VP8_FAILED, RN_VP8_STOPPED };

// rn_vp8_decode writes a lossy WebP file of n bytes and w x h pixels as RGB [h,w,3]. It looks at *stop between pieces of the file and
// ends with RN_VP8_STOPPED when *stop is not 0. RN_VP8_FAILED leaves libwebp's VP8StatusCode in *status.
int rn_vp8_decode(uint8_t *rgb, int w, int h, const uint8_t *file, size_t n, const int32_t *stop, int *status);
