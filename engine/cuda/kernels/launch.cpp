//go:build gpu && linux && amd64

// The kernels, compiled for the host, and what runs their threads.
#include "all.cu"

#include "launch.h"
#include "memory.h"

#include <string.h>
#include <ucontext.h>

#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

struct retinago_place retinago_here;

namespace host {

static int threads = 1;

void set_threads(int n) { threads = n; }

static ucontext_t caller, fibers[MOST_THREADS];
static std::vector<char> stacks[MOST_THREADS];
static const std::function<void()> *body;
static bool done[MOST_THREADS];

static void fiber(int t) {
  (*body)();
  done[t] = true;
}

// block runs the threads of one block in turns: each until its next SYNC.
static void block(const std::function<void()> &f, int n) {
  retinago_here.threads = n;
  if (n == 1) {
    retinago_here.tid = 0;
    f();
    return;
  }
  body = &f;
  for (int t = 0; t < n; t++) {
    stacks[t].resize(1 << 16);
    getcontext(&fibers[t]);
    fibers[t].uc_stack.ss_sp = stacks[t].data();
    fibers[t].uc_stack.ss_size = stacks[t].size();
    fibers[t].uc_link = &caller;
    done[t] = false;
    makecontext(&fibers[t], (void (*)())fiber, 1, t);
  }
  for (bool left = true; left;) {
    left = false;
    for (int t = 0; t < n; t++) {
      if (done[t]) continue;
      retinago_here.tid = t;
      swapcontext(&caller, &fibers[t]);
      left |= !done[t];
    }
  }
}

void run(const Work &w, const unsigned *grid) {
  int n = threads;
  retinago_here.blocks = grid[0];
  for (unsigned z = 0; z < grid[2]; z++)
    for (unsigned y = 0; y < grid[1]; y++)
      for (unsigned x = 0; x < grid[0]; x++) {
        retinago_here.block[0] = x;
        retinago_here.block[1] = y;
        retinago_here.block[2] = z;
        block(w, n);
      }
}

// An argument as the kernel wants it: addresses are of the device.
template <class A> static A argument(void *p) {
  if constexpr (std::is_pointer<A>::value) return (A)seen(*(uint64_t *)p);
  else return *(A *)p;
}

template <class... A, size_t... I> static Work pack(void (*f)(A...), void **p, std::index_sequence<I...>) {
  std::tuple<A...> args{argument<A>(p[I])...};
  return [f, args] { std::apply(f, args); };
}

template <class... A> static Work pack(void (*f)(A...), void **p) { return pack(f, p, std::index_sequence_for<A...>()); }

#define ENTRY(name) {#name, [](void **p) { return pack(name, p); }}
#define ACTIVATION(name) ENTRY(name), ENTRY(name##_bf16), ENTRY(name##_fp16) // of every form of storage

#define LOSS_ENTRY(name) ENTRY(name),

static const Entry entries[] = {
    BINARY_LOSSES(LOSS_ENTRY)
    ENTRY(assign), ENTRY(assign_average), ENTRY(assign_factors), ENTRY(assign_tops), ENTRY(atss), ENTRY(atss_claim), ENTRY(atss_nearest), ENTRY(mine_keys), ENTRY(mine_pick), ENTRY(mined), ENTRY(prepare),
    ENTRY(order_scores), ENTRY(thin), ENTRY(top_count), ENTRY(top_decode), ENTRY(top_narrow), ENTRY(top_sort), ENTRY(top_take),
    ENTRY(adam), ENTRY(binary), ENTRY(box), ENTRY(column_total), ENTRY(depthwise_weights), ENTRY(fill), ENTRY(fold),
    ENTRY(lerp), ENTRY(narrow_bf16), ENTRY(narrow_fp16), ENTRY(norm_coef), ENTRY(norm_mean), ENTRY(norm_move), ENTRY(norm_param_grad),
    ENTRY(norm_spread), ENTRY(overlap), ENTRY(sgd), ENTRY(softmax), ENTRY(squares), ENTRY(step_adam), ENTRY(step_judge),
    ENTRY(step_sgd), ENTRY(step_squares), ENTRY(total), ENTRY(widen_bf16), ENTRY(widen_fp16),
    ACTIVATION(activate), ACTIVATION(activate_grad), ACTIVATION(add), ACTIVATION(column_sums), ACTIVATION(depthwise), ACTIVATION(depthwise_data), ACTIVATION(depthwise_sums),
    ACTIVATION(finish), ACTIVATION(max_pool), ACTIVATION(max_pool_grad), ACTIVATION(norm_apply), ACTIVATION(norm_dots),
    ACTIVATION(norm_grad), ACTIVATION(norm_sums), ACTIVATION(pack_weights), 
    ACTIVATION(unpack_weights), ACTIVATION(upsample_add), ACTIVATION(upsample_grad)};

const Entry *entry(const char *name) {
  for (auto &e : entries)
    if (!strcmp(e.name, name)) return &e;
  return NULL;
}

} // namespace host

extern "C" void *retinago_place_at(i64 address) { return host::seen((uint64_t)address); }

extern "C" void retinago_sync(void) {
  if (retinago_here.threads == 1) return;
  int t = retinago_here.tid;
  swapcontext(&host::fibers[t], &host::caller);
}
