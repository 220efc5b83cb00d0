// Streams of the host's device, and its events.
#ifndef RETINAGO_STREAM_H
#define RETINAGO_STREAM_H
#include <cuda.h>

#include <functional>
#include <vector>

namespace host {

CUstream make_stream();
bool end_stream(CUstream); // does its work first; false where there is none
bool known(CUstream);

// Work waits in its stream until a caller waits for it; then everything runs that had to come before, and no more.
void enqueue(CUstream, std::function<void()> work);
// A copy from pinned memory. early_copies has them run as soon as events allow, so that one that should have waited is too early;
// otherwise they run as late as others, so that work that should have waited for one is.
void enqueue_copy(CUstream, std::function<void()> work);
extern bool early_copies;
void drain(CUstream); // all work of a stream
void drain();         // of all streams

// What was given to a stream until an event was recorded.
struct Event {
  CUstream stream;
  uint64_t given;
};
Event mark(CUstream);
bool finished(const Event &);
void await(const Event &);             // by the host
void await(CUstream, const Event &);   // by what is given to the stream from now on

// Between the two, a stream's work is kept in a list and not done; invalidate makes the list void, as calls do that a recording forbids.
bool capture(CUstream);
bool capturing();         // any stream
bool capturing(CUstream); // this one
CUresult invalidate();
// What was recorded; false where it is void.
bool captured(std::vector<std::function<void()>> *);

// Launches, and how often the host waited for work that was not done.
extern int64_t launches, waits;

} // namespace host
#endif
