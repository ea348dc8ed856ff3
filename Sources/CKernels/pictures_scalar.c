// One sample at a time: what the other tables are measured against.
#define TABLE ck_picture_table_scalar
#define NAME "scalar"
#define WIDE 0
#include "pictures.inc"
