// Maps in the form of the own kernels.
#ifndef RETINAGO_LISTED_H
#define RETINAGO_LISTED_H
#include <string.h>

#include <vector>

#include "buffer.h"
#include "kernels.h"
#include "winograd.h"

// Listed is maps as the own kernels want them.
struct Listed {
  std::vector<Maps::Map> list;
  Maps all;
  Listed(const rn_map *maps, int n) {
    int64_t tiles = 0;
    for (const rn_map *m = maps; m < maps + n; m++) {
      int th = (m->h + 3) / 4, tw = (m->w + 3) / 4;
      list.push_back({m->x, m->y, m->res, m->h, m->w, th, tw, tiles});
      tiles += (int64_t)m->n * th * tw;
    }
    all = {list.data(), n, tiles};
  }

  // part_residuals copies residuals of k channels that are results, too.
  void part_residuals(Buffer &to, const rn_map *maps, int k) {
    auto bytes = [&](const rn_map &m) { return m.res && m.res == m.y ? 4 * (int64_t)m.n * m.oh * m.ow * k : 0; };
    int64_t all = 0, at = 0;
    for (size_t i = 0; i < list.size(); i++) all += bytes(maps[i]);
    char *p = (char *)to.get(all);
    for (size_t i = 0; i < list.size(); i++)
      if (int64_t n = bytes(maps[i])) {
        list[i].res = (const float *)memcpy(p + at, maps[i].res, n);
        at += n;
      }
  }
};
#endif
