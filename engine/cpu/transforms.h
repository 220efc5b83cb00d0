// The weights that Winograd's kernels read.
#ifndef RETINAGO_TRANSFORMS_H
#define RETINAGO_TRANSFORMS_H
#include <stdint.h>

#include <algorithm>
#include <list>

#include "buffer.h"
#include "kernels.h"
#include "winograd.h"

// Transforms makes transformed weights, which are four times the size of the others. Making them is a small part of a
// convolution of many tiles, so that one place holds those of the last convolution, which may be the next one's too. Those of few
// tiles are kept from the second time on; in training, where weights change, there is none.
class Transforms {
  struct Of {
    const float *w = nullptr, *scale = nullptr;
    int c = 0, k = 0;
    bool backward = false;
    bool operator==(const Of &o) const { return w == o.w && scale == o.scale && c == o.c && k == o.k && backward == o.backward; }
  };
  struct Kept { // data is empty until the second time
    Of of;
    Buffer data;
  };
  Of last;
  Buffer of_last;
  std::list<Kept> kept;

  // few reports whether transforming the weights is a good part of the work.
  static bool few(int64_t tiles) { return tiles < 64; }

public:
  // get returns the transform of scale . w for so many tiles, which holds until the next call; backward is for the gradient by data.
  float *get(const Winograd &kernels, int64_t tiles, const float *w, const float *scale, const rn_conv &s, bool backward) {
    Of of{w, scale, s.c, s.k, backward};
    if (last == of) return (float *)of_last.p;
    Buffer *to = &of_last;
    if (few(tiles)) {
      auto at = std::find_if(kept.begin(), kept.end(), [&](const Kept &k) { return k.of == of; });
      if (at == kept.end()) {
        kept.emplace_back();
        kept.back().of = of;
      } else {
        if (at->data.p) return (float *)at->data.p;
        to = &at->data;
      }
    }
    if (to == &of_last) last = {};
    float *u = (float *)to->get(4 * (backward ? kernels.packed(s.k, s.c) : kernels.packed(s.c, s.k)));
    kernels.pack(u, w, scale, s.c, s.k, backward);
    if (to == &of_last) last = of;
    return u;
  }

  // pass forgets what a network, with other weights in between, would not find at the next convolution of so many tiles.
  void pass(int64_t tiles) {
    if (!few(tiles)) last = {};
  }

  // forget drops what was made of weights or scales that are freed.
  template <class F> void forget(F freed) {
    auto of = [&](const Of &o) { return freed(o.w) || freed(o.scale); };
    if (of(last)) last = {};
    kept.remove_if([&](const Kept &k) { return of(k.of); });
  }

  // clear is for weights that have changed.
  void clear() {
    last = {};
    kept.clear();
  }

  int64_t bytes() const {
    int64_t n = of_last.bytes;
    for (auto &k : kept) n += k.data.bytes;
    return n;
  }
};
#endif
