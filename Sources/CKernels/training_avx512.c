#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push( \
  __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma"))), apply_to = function)
#define TABLE ck_training_table_avx512
#define NAME "avx512"
#define LANES 16
#define VECTORS 2
#define ROWS 12
#define SPREAD 16
#define ROOT_GUESS(x) ((vec)_mm512_rsqrt14_ps((__m512)(x)))
#include "training.inc"
#pragma clang attribute pop
#endif
