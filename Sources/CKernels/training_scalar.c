// One float at a time: what the other tables are measured against.
#define TABLE ck_training_table_scalar
#define NAME "scalar"
#define LANES 1
#define VECTORS 4
#define ROWS 4
#define SPREAD 4
#include "training.inc"
