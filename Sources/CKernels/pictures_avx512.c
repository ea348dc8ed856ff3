#if defined(__x86_64__)
#pragma clang attribute push( \
  __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma"))), apply_to = function)
#define TABLE ck_picture_table_avx512
#define NAME "avx512"
#define WIDE 1
#include "pictures.inc"
#pragma clang attribute pop
#endif
