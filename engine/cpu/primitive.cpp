// Compiled convolutions of oneDNN and the weights that they read.
#include "context.h"

#include <algorithm>
#include <cfloat>
#include <cstring>

using namespace dnnl;
using tag = memory::format_tag;
using type = memory::data_type;

memory::desc weights_md(const rn_conv &s, bool any) {
  if (s.groups > 1) return {{s.groups, s.k / s.groups, s.c / s.groups, s.r, s.s}, type::f32, any ? tag::any : tag::goihw};
  return {{s.k, s.c, s.r, s.s}, type::f32, any ? tag::any : tag::oihw};
}

namespace {

// MOST_PRIMITIVES bounds the cache. A training graph of ResNet-50 has about 150, an inference graph 50; a model keeps 4 and 12 graphs.
enum { MOST_PRIMITIVES = 2048 };

memory::dims src_dims(const rn_conv &s) { return {s.n, s.c, s.h, s.w}; }
memory::dims dst_dims(const rn_conv &s) { return {s.n, s.k, s.oh, s.ow}; }

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
