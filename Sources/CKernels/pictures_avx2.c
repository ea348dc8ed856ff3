#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define TABLE ck_picture_table_avx2
#define NAME "avx2"
#define WIDE 1
#include "pictures.inc"
#pragma clang attribute pop
#endif
