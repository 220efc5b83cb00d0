// Threads of OpenMP that only sleep.
#include "kernels.h"

#include <omp.h>

#include <exception>
#include <future>
#include <thread>

struct rn_idle {
  std::promise<void> end;
  std::thread thread;
};

rn_idle *rn_idle_start(int engine) {
  try {
    rn_idle *idle = new rn_idle;
    std::promise<void> begun;
    try {
      idle->thread = std::thread([idle, engine, &begun] {
        int beside = omp_get_num_procs() - engine, ready = 0;
        // The threads stay with the calling thread, asleep, until it ends.
#pragma omp parallel num_threads((beside > 0 ? beside : 0) + 3)
#pragma omp atomic
        ready++;
        begun.set_value();
        idle->end.get_future().wait();
      });
    } catch (...) {
      delete idle;
      throw;
    }
    begun.get_future().wait();
    return idle;
  } catch (const std::exception &) {  // no memory, or no more threads
    return nullptr;
  }
}

void rn_idle_stop(rn_idle *idle) {
  idle->end.set_value();
  idle->thread.join();
  delete idle;
}
