// Running kernels on the host.
#ifndef RETINAGO_LAUNCH_H
#define RETINAGO_LAUNCH_H
#include <functional>

namespace host {

typedef std::function<void()> Work;

struct Entry {
  const char *name;
  Work (*pack)(void **args); // one thread's work, with the arguments as they are now
};

const Entry *entry(const char *name); // NULL where there is no such kernel
void run(const Work &, const unsigned *grid);
void set_threads(int n);

} // namespace host
#endif
