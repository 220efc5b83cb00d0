package main

// #include <malloc.h>
//
// // glibc gives each thread a heap (arena) of its own, and malloc_trim, which the decoders call when they rest, returns the free end of the
// // first one only: a server would keep some megabytes for each thread that ever decoded a large image. So all threads share the first.
// // A constructor runs before any thread has a heap.
// __attribute__((constructor)) static void share_one_arena(void) {
// #ifdef __GLIBC__
//   mallopt(M_ARENA_MAX, 1);
// #endif
// }
import "C"
