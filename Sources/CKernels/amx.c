#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push( \
  __attribute__(( \
    target("avx512f,avx512vl,avx512bw,avx512dq,avx512bf16,avx2,fma,amx-tile,amx-bf16"))), \
  apply_to = function)
#define TABLE ck_table_amx
#define NAME "amx"
#define OTHERS "avx512"
#define LANES 16
#define VECTORS 2
#define ROWS 12
#define ADD_PAIRS(sum, left, right) \
  ((vec)_mm512_dpbf16_ps((__m512)(sum), (__m512bh)(left), (__m512bh)(right)))
#define ROUND(x) ((halves)_mm512_cvtneps_pbh((__m512)(x)))
#define TILE_SHAPES(shapes) _tile_loadconfig(shapes)
#define TILE_RELEASE() _tile_release()
#define TILE_ZERO(t) _tile_zero(t)
#define TILE_LOAD(t, p, stride) _tile_loadd(t, p, stride)
#define TILE_STORE(t, p, stride) _tile_stored(t, p, stride)
#define TILE_MULTIPLY(sums, a, b) _tile_dpbf16ps(sums, a, b)
#include "kernels.inc"
#pragma clang attribute pop
#endif
