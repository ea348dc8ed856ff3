// What every CPU of the architecture has.
#define TABLE ck_picture_table_baseline
#if defined(__aarch64__)
#define NAME "neon"
#else
#define NAME "baseline"
#endif
#define WIDE 1
#include "pictures.inc"
