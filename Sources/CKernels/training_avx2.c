#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define TABLE ck_training_table_avx2
#define NAME "avx2"
#define LANES 8
#define VECTORS 2
#define ROWS 6
#define SPREAD 8
#include "training.inc"
#pragma clang attribute pop
#endif
