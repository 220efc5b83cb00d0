#include "bgr.h"

#include <algorithm>
#include <cstring>

#include "clones.h"

namespace {

CLONES void turn(uint8_t *__restrict dst, const uint8_t *__restrict src, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    dst[3 * i] = src[3 * i + 2];
    dst[3 * i + 1] = src[3 * i + 1];
    dst[3 * i + 2] = src[3 * i];
  }
}

}  // namespace

void rn_picture_turn(uint8_t *dst, const uint8_t *src, int64_t n) { turn(dst, src, n); }

void rn_picture_swap(uint8_t *pix, int64_t n) {
  const int64_t some = 1024;  // pixels that stay in the first cache
  uint8_t old[3 * some];
  for (; n > 0; n -= some, pix += 3 * some) {
    const int64_t k = std::min(n, some);
    memcpy(old, pix, 3 * k);
    turn(pix, old, k);
  }
}
