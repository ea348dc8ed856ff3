// What every CPU of the architecture has: SSE2, or NEON with its 32 registers.
#define TABLE ck_training_table_baseline
#define LANES 4
#define VECTORS 2
#if defined(__aarch64__)
#define NAME "neon"
#define ROWS 12
#define SPREAD 16
#else
#define NAME "baseline"
#define ROWS 4
#define SPREAD 8
#endif
#include "training.inc"
