#include "CKernels.h"

extern const ck_table ck_table_scalar, ck_table_baseline;
#if defined(__x86_64__)
extern const ck_table ck_table_avx2, ck_table_avx512, ck_table_avx512_bf16;
#endif

const ck_table *ck_table_at(int index) {
  const ck_table *tables[5] = {&ck_table_scalar, &ck_table_baseline};
  int count = 2;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    tables[count++] = &ck_table_avx2;
  if (
    __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
    && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")) {
    tables[count++] = &ck_table_avx512;
    if (__builtin_cpu_supports("avx512bf16")) tables[count++] = &ck_table_avx512_bf16;
  }
#endif
  return index >= 0 && index < count ? tables[index] : NULL;
}
