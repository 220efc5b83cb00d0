// What convolutions keep from call to call: oneDNN's primitives, packed weights, scratch space.
#ifndef RETINAGO_CONTEXT_H
#define RETINAGO_CONTEXT_H
#include <oneapi/dnnl/dnnl.hpp>

#include <array>
#include <list>
#include <map>
#include <memory>
#include <unordered_map>

#include "buffer.h"
#include "kernels.h"
#include "transforms.h"

enum Pass { FORWARD, DATA, WEIGHTS };

// Residual says where a residual is: nowhere, an input of its own, or dst as it was.
enum Residual { NONE, APART, INSIDE };

// Packed is one layout of oneDNN's of one parameter. fresh reports whether it holds the parameter's present values.
struct Packed {
  dnnl::memory::desc desc;
  const float *scale;
  Buffer data;
  bool fresh = false;
};

// Primitive is a compiled convolution of one shape and pass.
struct Primitive {
  dnnl::primitive op;
  dnnl::memory::desc src, weights, dst, scratch;
  bool sums = false; // the residual lies in dst before it runs
  uint64_t used = 0; // the call that last used it
};

struct rn_conv_context {
  dnnl::engine eng{dnnl::engine::kind::cpu, 0};
  dnnl::stream str{eng};
  int threads;
  std::map<std::array<int, 18>, std::unique_ptr<Primitive>> primitives;
  uint64_t calls = 0; // of compiled
  std::unordered_map<const float *, std::list<Packed>> packed;
  Transforms transforms;
  Buffer scratch, plain, summand;

  explicit rn_conv_context(int t) : threads(t) {}
  // compiled is the primitive of a shape and pass, made at the first call.
  Primitive &compiled(const rn_conv &s, Pass pass, bool bias, Residual res);
  // weights are w [K,C/G,R,S] times scale [K], which may be null, as p reads them.
  void *weights(const float *w, const float *scale, const rn_conv &s, const Primitive &p);

private:
  void make_room();
};

// weights_md describes [K,C/G,R,S] in the user's order or, with any, in the primitive's choice.
dnnl::memory::desc weights_md(const rn_conv &s, bool any);

#endif
