// Convolutions: oneDNN behind a cache of primitives and packed weights, and the own Winograd kernels where they apply.
#include "kernels.h"

#include <oneapi/dnnl/dnnl.hpp>

#include <algorithm>
#include <array>
#include <cfloat>
#include <chrono>
#include <cstring>
#include <exception>
#include <list>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "buffer.h"
#include "guard.h"
#include "isa.h"
#include "listed.h"
#include "transforms.h"

using namespace dnnl;
using tag = memory::format_tag;
using type = memory::data_type;

namespace {

enum Pass { FORWARD, DATA, WEIGHTS };

// Residual says where a residual is: nowhere, an input of its own, or dst as it was.
enum Residual { NONE, APART, INSIDE };

// own is the Winograd kernels of the process's instruction set.
const Winograd &own() { return rn_isa == AVX512 ? winograd_avx512 : rn_isa == AVX2 ? winograd_avx2 : winograd_baseline; }

// Packed is one layout of oneDNN's of one parameter. fresh reports whether it holds the parameter's present values.
struct Packed {
  memory::desc desc;
  const float *scale;
  Buffer data;
  bool fresh = false;
};

// Primitive is a compiled convolution of one shape and pass.
struct Primitive {
  primitive op;
  memory::desc src, weights, dst, scratch;
  bool sums = false; // the residual lies in dst before it runs
  uint64_t used = 0; // the call that last used it
};

// MOST_PRIMITIVES bounds the cache. A training graph of ResNet-50 has about 150, an inference graph 50; a model keeps 4 and 12 graphs.
enum { MOST_PRIMITIVES = 2048 };

} // namespace

struct rn_conv_context {
  engine eng{engine::kind::cpu, 0};
  stream str{eng};
  int threads;
  std::map<std::array<int, 18>, std::unique_ptr<Primitive>> primitives;
  uint64_t calls = 0; // of compiled
  std::unordered_map<const float *, std::list<Packed>> packed;
  Transforms transforms;
  Buffer scratch, plain, summand;

  explicit rn_conv_context(int t) : threads(t) {}
  Primitive &compiled(const rn_conv &s, Pass pass, bool bias, Residual res);
  void make_room();
  void *weights(const float *w, const float *scale, const rn_conv &s, const Primitive &p);
};

namespace {

memory::dims src_dims(const rn_conv &s) { return {s.n, s.c, s.h, s.w}; }
memory::dims dst_dims(const rn_conv &s) { return {s.n, s.k, s.oh, s.ow}; }

// weights_md describes [K,C/G,R,S] in the user's order or, without a tag, in the primitive's choice.
memory::desc weights_md(const rn_conv &s, bool any) {
  if (s.groups > 1) return {{s.groups, s.k / s.groups, s.c / s.groups, s.r, s.s}, type::f32, any ? tag::any : tag::goihw};
  return {{s.k, s.c, s.r, s.s}, type::f32, any ? tag::any : tag::oihw};
}

// Padding at the far side: what the output's size needs, which may be less than the near side's.
memory::dims far_padding(const rn_conv &s) {
  return {(s.oh - 1) * s.stride + s.r - s.h - s.pad, (s.ow - 1) * s.stride + s.s - s.w - s.pad};
}

// attributes are what a forward pass does after its sums.
primitive_attr attributes(const rn_conv &s, Residual res, const memory::desc &dst) {
  primitive_attr a;
  post_ops ops;
  if (res == INSIDE) ops.append_sum(1);
  else if (res == APART) ops.append_binary(algorithm::binary_add, dst);
#if DNNL_VERSION_MAJOR >= 3
  auto append = [&](algorithm f, float alpha, float beta) { ops.append_eltwise(f, alpha, beta); };
#else
  auto append = [&](algorithm f, float alpha, float beta) { ops.append_eltwise(1, f, alpha, beta); };
#endif
  if (s.relu) append(algorithm::eltwise_relu, s.slope, 0);
  if (s.relu && s.cap > 0) append(algorithm::eltwise_clip, -FLT_MAX, s.cap);
  a.set_post_ops(ops);
  a.set_scratchpad_mode(scratchpad_mode::user);
  return a;
}

} // namespace

Primitive &rn_conv_context::compiled(const rn_conv &s, Pass pass, bool bias, Residual res) {
  bool relu = s.relu && pass == FORWARD;
  int slope = 0, cap = 0; // their bits
  if (relu) {
    memcpy(&slope, &s.slope, sizeof slope);
    memcpy(&cap, &s.cap, sizeof cap);
  }
  std::array<int, 18> key{pass, s.n, s.h, s.w, s.c, s.k, s.r, s.s, s.oh, s.ow, s.stride, s.pad, s.groups, relu, bias, res, slope, cap};
  calls++;
  if (auto at = primitives.find(key); at != primitives.end()) {
    at->second->used = calls;
    return *at->second;
  }
  memory::desc src(src_dims(s), type::f32, tag::nhwc), dst(dst_dims(s), type::f32, tag::nhwc), w = weights_md(s, true), b;
  if (bias) b = memory::desc({s.k}, type::f32, tag::x);
  memory::dims st{s.stride, s.stride}, near{s.pad, s.pad}, far = far_padding(s);
  auto direct = algorithm::convolution_direct;
  primitive_attr plain;
  plain.set_scratchpad_mode(scratchpad_mode::user);
  auto p = std::make_unique<Primitive>();
  auto keep = [&](auto &pd, const memory::desc &wd) {
    p->src = src;
    p->dst = dst;
    p->weights = wd;
    p->scratch = pd.scratchpad_desc();
  };
#if DNNL_VERSION_MAJOR >= 3
  auto forward = [&](const primitive_attr &a) {
    return convolution_forward::primitive_desc(eng, prop_kind::forward_training, direct, src, w, b, dst, st, near, far, a);
  };
#else
  auto forward = [&](const primitive_attr &a) {
    auto desc = bias ? convolution_forward::desc(prop_kind::forward_training, direct, src, w, b, dst, st, near, far)
                     : convolution_forward::desc(prop_kind::forward_training, direct, src, w, dst, st, near, far);
    return convolution_forward::primitive_desc(desc, a, eng);
  };
#endif
  auto fwd = forward(pass == FORWARD ? attributes(s, res, dst) : plain);
  p->sums = res == INSIDE;
  // oneDNN's convolution by matrix products adds the wrong elements of a residual that is an input (2.6.3, for AVX2 and less).
  if (res == APART && strstr(fwd.impl_info_str(), "gemm")) {
    p->sums = true;
    fwd = forward(attributes(s, INSIDE, dst));
  }
#if DNNL_VERSION_MAJOR >= 3
  if (pass == FORWARD) {
    p->op = convolution_forward(fwd);
    keep(fwd, fwd.weights_desc());
  } else if (pass == DATA) {
    convolution_backward_data::primitive_desc pd(eng, direct, src, w, dst, st, near, far, fwd, plain);
    p->op = convolution_backward_data(pd);
    keep(pd, pd.weights_desc());
  } else {
    convolution_backward_weights::primitive_desc pd(eng, direct, src, w, dst, st, near, far, fwd, plain);
    p->op = convolution_backward_weights(pd);
    keep(pd, pd.diff_weights_desc());
  }
#else
  if (pass == FORWARD) {
    p->op = convolution_forward(fwd);
    keep(fwd, fwd.weights_desc());
  } else if (pass == DATA) {
    convolution_backward_data::primitive_desc pd(convolution_backward_data::desc(direct, src, w, dst, st, near, far), plain, eng, fwd);
    p->op = convolution_backward_data(pd);
    keep(pd, pd.weights_desc());
  } else {
    convolution_backward_weights::primitive_desc pd(convolution_backward_weights::desc(direct, src, w, dst, st, near, far), plain, eng, fwd);
    p->op = convolution_backward_weights(pd);
    keep(pd, pd.diff_weights_desc());
  }
#endif
  make_room();
  p->used = calls;
  return *(primitives[key] = std::move(p));
}

// make_room frees the primitive that was not used for longest when the cache is full.
void rn_conv_context::make_room() {
  if (primitives.size() < MOST_PRIMITIVES) return;
  primitives.erase(std::min_element(primitives.begin(), primitives.end(), [](auto &a, auto &b) { return a.second->used < b.second->used; }));
}

void *rn_conv_context::weights(const float *w, const float *scale, const rn_conv &s, const Primitive &p) {
  memory::desc user = weights_md(s, false);
  if (p.weights == user && !scale) return const_cast<float *>(w);
  auto &list = packed[w];
  auto at = std::find_if(list.begin(), list.end(), [&](const Packed &k) { return k.scale == scale && k.desc == p.weights; });
  if (at == list.end()) {
    at = list.emplace(at);
    at->desc = p.weights;
    at->scale = scale;
  }
  Packed &k = *at;
  void *d = k.data.get(p.weights.get_size());
  if (!k.fresh) {
    const float *from = w;
    if (scale) {
      int64_t row = (int64_t)s.c / s.groups * s.r * s.s;
      float *scaled = (float *)plain.get(4 * row * s.k);
      rn_scale_rows(scaled, w, scale, s.k, row);
      from = scaled;
    }
    memory a(user, eng, const_cast<float *>(from)), b(p.weights, eng, d);
    reorder(a, b).execute(str, a, b);
    str.wait();
    k.fresh = true;
  }
  return d;
}

namespace {

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
