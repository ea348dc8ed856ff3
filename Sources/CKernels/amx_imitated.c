// AMX's tiles in C: slow, and for tests only. What is made of tiles is the same as in amx.c, so that
// it is tested on CPUs that have none.
#include <stddef.h>
#include <string.h>

#define TILES 8
static _Thread_local struct {
  unsigned rows, columns;
  unsigned slots[16][16];
} tiles[TILES];

static void shape(const void *shapes) {
  const unsigned char *bytes = shapes;
  memset(tiles, 0, sizeof tiles);
  for (int t = 0; t < TILES; t++) {
    tiles[t].columns = (bytes[16 + 2 * t] | bytes[17 + 2 * t] << 8) / 4;
    tiles[t].rows = bytes[48 + t];
  }
  if (bytes[0] != 1) __builtin_trap();
}

static void load_tile(int t, const void *memory, ptrdiff_t stride) {
  memset(tiles[t].slots, 0, sizeof tiles[t].slots);
  for (unsigned r = 0; r < tiles[t].rows; r++)
    memcpy(tiles[t].slots[r], (const char *)memory + r * stride, 4 * tiles[t].columns);
}

static void store_tile(int t, void *memory, ptrdiff_t stride) {
  for (unsigned r = 0; r < tiles[t].rows; r++)
    memcpy((char *)memory + r * stride, tiles[t].slots[r], 4 * tiles[t].columns);
}

static float number(unsigned bits) {
  float result;
  memcpy(&result, &bits, sizeof result);
  return result;
}

static void multiply(int sums, int a, int b) {
  // Where the CPU knows no such instruction.
  if (
    tiles[sums].rows != tiles[a].rows || tiles[sums].columns != tiles[b].columns
    || tiles[a].columns != tiles[b].rows)
    __builtin_trap();
  for (unsigned m = 0; m < tiles[a].rows; m++)
    for (unsigned k = 0; k < tiles[a].columns; k++)
      for (unsigned n = 0; n < tiles[b].columns; n++) {
        unsigned left = tiles[a].slots[m][k], right = tiles[b].slots[k][n];
        float sum = number(tiles[sums].slots[m][n]);
        sum += number(left << 16) * number(right << 16);
        sum += number(left & 0xffff0000u) * number(right & 0xffff0000u);
        memcpy(&tiles[sums].slots[m][n], &sum, sizeof sum);
      }
}

#define TABLE ck_table_amx_imitated
#define NAME "amx_imitated"
#define OTHERS "baseline"
#define LANES 4
#define VECTORS 8
#define ROWS 2
#define TILE_SHAPES(shapes) shape(shapes)
#define TILE_RELEASE() memset(tiles, 0, sizeof tiles)
#define TILE_ZERO(t) memset(tiles[t].slots, 0, sizeof tiles[t].slots)
#define TILE_LOAD(t, p, stride) load_tile(t, p, stride)
#define TILE_STORE(t, p, stride) store_tile(t, p, stride)
#define TILE_MULTIPLY(sums, a, b) multiply(sums, a, b)
#include "kernels.inc"
