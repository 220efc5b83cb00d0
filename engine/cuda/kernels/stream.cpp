//go:build gpu && linux && amd64

#include "stream.h"

#include <deque>
#include <map>
#include <mutex>

namespace host {

int64_t launches, waits;
bool early_copies;

struct Item {
  std::function<void()> work; // none where the stream waits
  Event after;                // what it waits for
  bool copy;
};
struct Stream {
  std::deque<Item> items;
  uint64_t given = 0, done = 0;
};

static std::map<CUstream, Stream> streams;
static std::recursive_mutex mutex;
typedef std::lock_guard<std::recursive_mutex> Lock;

static CUstream recorded;
static std::vector<std::function<void()>> list;
static bool valid;

bool finished(const Event &e) {
  Lock l(mutex);
  auto s = streams.find(e.stream);
  return s == streams.end() || s->second.done >= e.given;
}

static void run_early();

static void run(CUstream name, uint64_t until) {
  auto found = streams.find(name);
  if (found == streams.end()) return;
  Stream &s = found->second;
  while (s.done < until) {
    if (Event e = s.items.front().after; !finished(e)) {
      run(e.stream, e.given);
      continue;
    }
    auto work = std::move(s.items.front().work);
    s.items.pop_front();
    if (work) work();
    s.done++;
    run_early();
  }
}

// Copies that nothing holds up, and waiting that is over.
static void run_early() {
  if (!early_copies) return;
  for (bool more = true; more;) {
    more = false;
    for (auto &s : streams)
      while (!s.second.items.empty() && (!s.second.items.front().work || s.second.items.front().copy) && finished(s.second.items.front().after)) {
        run(s.first, s.second.done + 1);
        more = true;
      }
  }
}

static void give(CUstream name, Item i) {
  Lock l(mutex);
  Stream &s = streams[name];
  s.items.push_back(i);
  s.given++;
  run_early();
}

static void add(CUstream name, std::function<void()> work, bool copy) {
  Lock l(mutex);
  if (recorded && name == recorded) list.push_back(work);
  else give(name, {work, {}, copy});
}

void enqueue(CUstream s, std::function<void()> work) { add(s, work, false); }
void enqueue_copy(CUstream s, std::function<void()> work) { add(s, work, true); }

void await(CUstream s, const Event &e) { give(s, {nullptr, e, false}); }

Event mark(CUstream s) {
  Lock l(mutex);
  return {s, streams[s].given};
}

void await(const Event &e) {
  Lock l(mutex);
  run(e.stream, e.given);
}

void drain(CUstream s) { await(mark(s)); }

void drain() {
  Lock l(mutex);
  for (auto &s : streams) run(s.first, s.second.given);
}

CUstream make_stream() {
  Lock l(mutex);
  CUstream s = (CUstream) new char; // kept for ever: no other stream may be taken for this one
  streams[s];
  return s;
}

bool end_stream(CUstream s) {
  Lock l(mutex);
  if (!known(s)) return false;
  drain(s);
  return streams.erase(s) == 1;
}

bool known(CUstream s) {
  Lock l(mutex);
  return streams.count(s) == 1;
}

bool capture(CUstream s) {
  Lock l(mutex);
  if (recorded) return false;
  list.clear();
  recorded = s;
  return valid = true;
}

bool capturing() {
  Lock l(mutex);
  return recorded != NULL;
}

bool capturing(CUstream s) {
  Lock l(mutex);
  return recorded && recorded == s;
}

CUresult invalidate() {
  Lock l(mutex);
  valid = false;
  return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
}

bool captured(std::vector<std::function<void()>> *out) {
  Lock l(mutex);
  recorded = NULL;
  out->swap(list);
  return valid;
}

} // namespace host
