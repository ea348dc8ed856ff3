#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push( \
  __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx512bf16,avx2,fma"))), \
  apply_to = function)
#define TABLE ck_table_avx512_bf16
#define NAME "avx512_bf16"
#define OTHERS "avx512"
#define LANES 16
#define VECTORS 2
#define ROWS 12
#define ADD_PAIRS(sum, left, right) \
  ((vec)_mm512_dpbf16_ps((__m512)(sum), (__m512bh)(left), (__m512bh)(right)))
#define ROUND(x) ((halves)_mm512_cvtneps_pbh((__m512)(x)))
#include "kernels.inc"
#pragma clang attribute pop
#endif
