// Numbers in the memory of the host's device, read and written as float32.
#ifndef RETINAGO_VALUES_H
#define RETINAGO_VALUES_H
#include "activation.h"

#include <stddef.h>

#include <vector>

namespace host {

enum Form { IS_FLOAT, IS_FP16, IS_BF16 };

inline size_t width(Form f) { return f == IS_FLOAT ? 4 : 2; }

typedef std::vector<float> Values;

inline Values read(const void *p, Form f, size_t n) {
  switch (f) {
  case IS_FP16: return Values((const fp16 *)p, (const fp16 *)p + n);
  case IS_BF16: return Values((const bf16 *)p, (const bf16 *)p + n);
  default: return Values((const float *)p, (const float *)p + n);
  }
}

template <class T> void write_as(T *p, const Values &v) {
  for (size_t i = 0; i < v.size(); i++) p[i] = v[i];
}

inline void write(void *p, Form f, const Values &v) {
  switch (f) {
  case IS_FP16: return write_as((fp16 *)p, v);
  case IS_BF16: return write_as((bf16 *)p, v);
  default: return write_as((float *)p, v);
  }
}

} // namespace host
#endif
