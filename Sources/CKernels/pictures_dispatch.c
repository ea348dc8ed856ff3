#include "CKernelsPictures.h"
#include <string.h>

extern const ck_picture_table ck_picture_table_scalar, ck_picture_table_baseline;
#if defined(__x86_64__)
extern const ck_picture_table ck_picture_table_avx2, ck_picture_table_avx512;
#endif

// What the CPU can run is decided in dispatch.c: here is only the pictures' part of each table.
const ck_picture_table *ck_picture_table_named(const char *name) {
  const ck_picture_table *tables[] = {
    &ck_picture_table_scalar,
    &ck_picture_table_baseline,
#if defined(__x86_64__)
    &ck_picture_table_avx2,
    &ck_picture_table_avx512,
#endif
  };
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
    if (strcmp(tables[i]->name, name) == 0) return tables[i];
  return NULL;
}
