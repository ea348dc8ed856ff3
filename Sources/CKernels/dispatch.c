#include "CKernels.h"

extern const ck_table ck_table_scalar, ck_table_baseline, ck_table_amx_imitated;
#if defined(__x86_64__)
#include <cpuid.h>
#include <stdatomic.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

extern const ck_table ck_table_avx2, ck_table_avx512, ck_table_avx512_bf16, ck_table_amx;

/// Whether the CPU has tiles of bf16 numbers and the system lets this process use them.
static bool has_tiles(void) {
  unsigned a, b, c, d;
  const unsigned tile = 1u << 24, bf16 = 1u << 22;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & (tile | bf16)) != (tile | bf16))
    return false;
#if defined(__linux__)
  // ARCH_REQ_XCOMP_PERM for the tiles' data, 8 KB more to save of each thread.
  return syscall(SYS_arch_prctl, 0x1023, 18) == 0;
#else
  return false;
#endif
}

/// The same, asked once: in a virtual machine the question itself takes long.
static bool may_use_tiles(void) {
  static atomic_int known = -1;
  int answer = atomic_load(&known);
  if (answer < 0) atomic_store(&known, answer = has_tiles());
  return answer;
}
#endif

const ck_table *ck_table_at(int index) {
  const ck_table *tables[6] = {&ck_table_scalar, &ck_table_baseline};
  int count = 2;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    tables[count++] = &ck_table_avx2;
  if (
    __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
    && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")) {
    tables[count++] = &ck_table_avx512;
    if (__builtin_cpu_supports("avx512bf16")) {
      tables[count++] = &ck_table_avx512_bf16;
      if (may_use_tiles()) tables[count++] = &ck_table_amx;
    }
  }
#endif
  return index >= 0 && index < count ? tables[index] : NULL;
}

const ck_table *ck_table_imitating_tiles(void) { return &ck_table_amx_imitated; }
