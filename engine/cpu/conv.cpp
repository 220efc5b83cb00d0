// Convolutions: oneDNN behind a cache of primitives and packed weights, and the own Winograd kernels where they apply.
#include "context.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "guard.h"
#include "isa.h"
#include "listed.h"

using namespace dnnl;
using tag = memory::format_tag;
using type = memory::data_type;

namespace {

// own is the Winograd kernels of the process's instruction set.
const Winograd &own() { return rn_isa == AVX512 ? winograd_avx512 : rn_isa == AVX2 ? winograd_avx2 : winograd_baseline; }

// by_onednn calls f, and names the library in its exceptions.
template <class F> char *by_onednn(F f) {
  return guarded([&] {
    try {
      f();
    } catch (const dnnl::error &e) {
      if (e.status == dnnl_out_of_memory) throw std::bad_alloc();
      throw std::runtime_error(std::string("oneDNN: ") + e.what());
    }
  });
}

// sized is a shape with the sizes of a map.
rn_conv sized(rn_conv s, const rn_map &m) {
  s.n = m.n, s.h = m.h, s.w = m.w, s.oh = m.oh, s.ow = m.ow;
  return s;
}

void execute(rn_conv_context *c, Primitive &p, std::unordered_map<int, memory> args) {
  args[DNNL_ARG_SCRATCHPAD] = memory(p.scratch, c->eng, c->scratch.get(p.scratch.get_size() + 64));
  p.op.execute(c->str, args);
  c->str.wait();
}

} // namespace

extern "C" {

const char *rn_library_version(void) {
  static const std::string v = [] {
    const dnnl_version_t *d = dnnl_version();
    return std::to_string(d->major) + "." + std::to_string(d->minor) + "." + std::to_string(d->patch);
  }();
  return v.c_str();
}

rn_conv_context *rn_conv_new(int threads) {
  try {
    return new rn_conv_context(threads);
  } catch (const std::exception &) {
    return nullptr;
  }
}

void rn_conv_delete(rn_conv_context *c) { delete c; }

void rn_conv_weights_changed(rn_conv_context *c) {
  for (auto &l : c->packed)
    for (auto &p : l.second) p.fresh = false;
  c->transforms.clear();
}

void rn_conv_forget(rn_conv_context *c, const void *p, int64_t bytes) {
  auto begin = (const char *)p, end = begin + bytes;
  auto freed = [=](const void *w) { return w >= begin && w < end; };
  for (auto at = c->packed.begin(); at != c->packed.end();) {
    at->second.remove_if([&](const Packed &k) { return freed(at->first) || freed(k.scale); });
    at = at->second.empty() ? c->packed.erase(at) : std::next(at);
  }
  c->transforms.forget(freed);
}

int rn_conv_primitives(rn_conv_context *c) { return (int)c->primitives.size(); }

int64_t rn_conv_bytes(rn_conv_context *c) {
  int64_t n = c->scratch.bytes + c->plain.bytes + c->summand.bytes + c->transforms.bytes();
  for (auto &l : c->packed)
    for (auto &p : l.second) n += p.data.bytes;
  return n;
}

int rn_conv_own(const rn_conv *s) {
  return s->r == 3 && s->s == 3 && s->stride == 1 && s->pad == 1 && s->groups == 1 && s->c >= own().lanes && s->k >= own().lanes;
}

char *rn_conv_forward(rn_conv_context *c, int take_own, const rn_conv *s, const rn_map *maps, int n, const float *w, const float *scale, const float *b) {
  return by_onednn([&] {
    if (take_own) {
      Listed m(maps, n);
      // The last vector of channels may be computed twice in part, which must not find its own result in the residual.
      if (s->k % own().lanes) m.part_residuals(c->plain, maps, s->k);
      float *u = c->transforms.get(own(), m.all.tiles, w, scale, *s, false);
      float *scratch = (float *)c->scratch.get(4 * c->threads * own().scratch(s->c, s->k));
      own().forward(m.all, u, b, s->c, s->k, s->relu, s->slope, s->cap, scratch);
      return;
    }
    for (const rn_map *m = maps; m < maps + n; m++) {
      Primitive &p = c->compiled(sized(*s, *m), FORWARD, b != nullptr, !m->res ? NONE : m->res == m->y ? INSIDE : APART);
      std::unordered_map<int, memory> args{{DNNL_ARG_SRC, memory(p.src, c->eng, const_cast<float *>(m->x))},
                                           {DNNL_ARG_WEIGHTS, memory(p.weights, c->eng, c->weights(w, scale, *s, p))},
                                           {DNNL_ARG_DST, memory(p.dst, c->eng, m->y)}};
      if (b) args[DNNL_ARG_BIAS] = memory(memory::desc({s->k}, type::f32, tag::x), c->eng, const_cast<float *>(b));
      if (p.sums && m->res != m->y) memcpy(m->y, m->res, p.dst.get_size());
      else if (m->res && !p.sums) args[DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1] = memory(p.dst, c->eng, const_cast<float *>(m->res));
      execute(c, p, args);
    }
  });
}

char *rn_conv_data(rn_conv_context *c, int take_own, const rn_conv *s, const rn_map *maps, int n, const float *w, const float *scale) {
  return by_onednn([&] {
    if (take_own) {
      Listed m(maps, n);
      float *u = c->transforms.get(own(), m.all.tiles, w, scale, *s, true);
      float *scratch = (float *)c->scratch.get(4 * c->threads * own().scratch(s->k, s->c));
      own().forward(m.all, u, nullptr, s->k, s->c, 0, 0, 0, scratch);
      return;
    }
    for (const rn_map *m = maps; m < maps + n; m++) {
      Primitive &p = c->compiled(sized(*s, *m), DATA, false, NONE);
      execute(c, p, {{DNNL_ARG_DIFF_DST, memory(p.dst, c->eng, const_cast<float *>(m->x))},
                     {DNNL_ARG_WEIGHTS, memory(p.weights, c->eng, c->weights(w, scale, *s, p))},
                     {DNNL_ARG_DIFF_SRC, memory(p.src, c->eng, m->y)}});
    }
  });
}

char *rn_conv_dweights(rn_conv_context *c, int take_own, const rn_conv *s, const rn_map *maps, int n, float *dw, const float *scale) {
  return by_onednn([&] {
    int64_t row = (int64_t)s->c / s->groups * s->r * s->s;
    if (take_own) {
      Listed m(maps, n);
      float *scratch = (float *)c->scratch.get(4 * own().dweights_scratch(s->c, s->k));
      own().dweights(dw, m.all, s->c, s->k, scratch);
    } else {
      for (const rn_map *m = maps; m < maps + n; m++) {
        Primitive &p = c->compiled(sized(*s, *m), WEIGHTS, false, NONE);
        memory::desc user = weights_md(*s, false);
        bool same = p.weights == user;
        float *to = m == maps ? dw : (float *)c->summand.get(4 * row * s->k);
        memory out(p.weights, c->eng, same ? to : c->plain.get(p.weights.get_size()));
        execute(c, p, {{DNNL_ARG_DIFF_DST, memory(p.dst, c->eng, m->y)},
                       {DNNL_ARG_SRC, memory(p.src, c->eng, const_cast<float *>(m->x))},
                       {DNNL_ARG_DIFF_WEIGHTS, out}});
        if (!same) {
          memory plain(user, c->eng, to);
          reorder(out, plain).execute(c->str, out, plain);
          c->str.wait();
        }
        if (to != dw) rn_add(dw, dw, to, row * s->k, 0);
      }
    }
    if (scale) rn_scale_rows(dw, dw, scale, s->k, row);
  });
}

char *rn_conv_time(rn_conv_context *c, int pass, const rn_conv *shape, double least[2], double median[2]) {
  rn_conv s = *shape;
  s.relu = 0;
  char *wrong = nullptr;
  char *full = by_onednn([&] {
    Buffer xb, wb, yb;
    // Zeros that were never written would all be one page of memory.
    auto filled = [](Buffer &b, int64_t n) {
      float *p = (float *)b.get(4 * n);
      std::fill_n(p, n, 1.f);
      return p;
    };
    float *x = filled(xb, (int64_t)s.n * s.h * s.w * s.c), *y = filled(yb, (int64_t)s.n * s.oh * s.ow * s.k);
    float *w = filled(wb, (int64_t)s.k * s.c / s.groups * s.r * s.s);
    const rn_map map{x, y, nullptr, s.n, s.h, s.w, s.oh, s.ow}, back{y, x, nullptr, s.n, s.h, s.w, s.oh, s.ow};
    const int64_t tiles = Listed(&map, 1).all.tiles;
    auto run = [&](int own) {
      c->transforms.pass(tiles);
      auto begin = std::chrono::steady_clock::now();
      if (!wrong)
        wrong = pass == FORWARD ? rn_conv_forward(c, own, &s, &map, 1, w, nullptr, nullptr)
                : pass == DATA  ? rn_conv_data(c, own, &s, &back, 1, w, nullptr)
                                : rn_conv_dweights(c, own, &s, &map, 1, w, nullptr);
      return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    };
    run(0), run(1); // compiles and packs
    std::vector<double> took[2];
    double all = 0;
    for (int round = 0; round < 25 && (round < 3 || all < .1); round++)
      for (int own = 0; own < 2; own++) {
        took[own].push_back(run(own));
        all += took[own].back();
      }
    for (int own = 0; own < 2; own++) {
      std::sort(took[own].begin(), took[own].end());
      least[own] = took[own].front();
      median[own] = took[own][took[own].size() / 2];
    }
    rn_conv_forget(c, w, wb.bytes);
  });
  return wrong ? wrong : full;
}

} // extern "C"
