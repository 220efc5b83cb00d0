// Winograd on 128 bits, which every processor of the architecture has.
#include "winograd.h"

enum { LANES = 4, ROWS = 6 };
#include "winograd_block.h"

const Winograd winograd_baseline = KERNELS;
