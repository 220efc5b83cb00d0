//go:build opencv

#include "vp8.h"

#include <webp/decode.h>

// PIECE is so short that decoding one takes less than a tenth of a second.
enum { PIECE = 1 << 16 };

int rn_vp8_decode(uint8_t *rgb, int w, int h, const uint8_t *file, size_t n, const int32_t *stop, int *status) {
  WebPIDecoder *d = WebPINewRGB(MODE_RGB, rgb, (size_t)3 * w * h, 3 * w);
  *status = VP8_STATUS_OUT_OF_MEMORY;
  if (!d) return RN_VP8_FAILED;
  VP8StatusCode state = VP8_STATUS_SUSPENDED;
  int stopped = 0;
  // What was given before lies where it lay: libwebp copies nothing.
  for (size_t given = 0; state == VP8_STATUS_SUSPENDED && given < n && !stopped;) {
    given = n - given > PIECE ? given + PIECE : n;
    state = WebPIUpdate(d, file, given);
    stopped = __atomic_load_n(stop, __ATOMIC_RELAXED);
  }
  WebPIDelete(d);
  *status = state;
  if (state == VP8_STATUS_OK) return RN_VP8_OK;
  return stopped ? RN_VP8_STOPPED : RN_VP8_FAILED;
}
