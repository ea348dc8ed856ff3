// Inner loops that Swift cannot vectorise for a CPU chosen at run time. A table holds one set of
// them per instruction set; nothing here allocates, starts threads or knows of tensors.
#pragma once
#include <stdbool.h>
#include <stddef.h>

/// C = A * B for a few columns of B, with what a convolution does next.
///
/// Row r of A is made of `segments` runs of `depth` floats: run s starts at
/// a + r * a_row + s * a_segment and has a_column floats from one to the next. B is packed:
/// segments * depth rows of `panel` floats.
typedef struct {
  const float *a;
  ptrdiff_t a_row;
  ptrdiff_t a_column;
  ptrdiff_t a_segment;
  ptrdiff_t segments;
  ptrdiff_t depth;
  /// How many products are summed before they go to the total, since short sums round less; 0 for
  /// all of a segment.
  ptrdiff_t sum_length;
  const float *b;
  float *c;
  ptrdiff_t c_row;
  ptrdiff_t rows;
  /// At most `panel`; the rest of the packed columns is computed and thrown away.
  ptrdiff_t columns;
  /// `columns` floats that sums start from, or NULL for 0.
  const float *bias;
  /// What the next call will read as A and B, or NULL: fetched while this one multiplies.
  const float *next_a;
  const float *next_b;
  /// Whether sums, or with `sum_length` the total, start from what C holds (`bias` is then not
  /// looked at).
  bool accumulate;
  /// What lies as C does and is added to the sums at the end, or NULL.
  const float *addend;
  /// Whether C and the addend are hardly in a cache near by: they are fetched while this multiplies.
  bool c_is_far;
  /// Whether C is of bf16 numbers, then c_row counts those; not with `accumulate`.
  bool c_is_bf16;
  /// Whether the addend is.
  bool addend_is_bf16;
  /// Whether negative results become 0.
  bool relu;
  /// The largest result with `relu`, or 0 for no limit.
  float ceiling;
} ck_product;

/// Outputs side by side of a convolution that keeps channels apart.
typedef struct {
  /// The pixel that the first output sees through the first tap.
  const float *x;
  /// From one output's pixel to the next one's, and from tap to tap down and along a row.
  ptrdiff_t step;
  ptrdiff_t tap_row;
  ptrdiff_t tap;
  /// The taps that lie in the picture for all of the outputs.
  ptrdiff_t tap_rows;
  ptrdiff_t tap_columns;
  /// `channels` weights for the first tap; those of the next follow, or are `kernel_row` away.
  const float *kernel;
  ptrdiff_t kernel_row;
  /// `channels` floats that sums start from, or NULL for 0.
  const float *bias;
  /// Outputs follow each other.
  float *y;
  ptrdiff_t count;
  ptrdiff_t channels;
  /// Results are brought into these limits.
  float floor;
  float ceiling;
} ck_depthwise;

/// A patch of a picture, tile + 2 pixels high and wide, and the (tile + 2)^2 matrices that its
/// transform goes to.
typedef struct {
  /// 3 to 6.
  int tile;
  /// Where row 0, column 0 of the patch is, even where that is outside of the picture.
  const float *patch;
  /// Whether the picture is of bf16 numbers, then `row` and `pixel` count those.
  bool patch_is_bf16;
  ptrdiff_t row;
  ptrdiff_t pixel;
  /// Rows and columns of the patch that lie in the picture; the others count as 0.
  int top, bottom, left, right;
  float *matrices;
  ptrdiff_t matrix;
  /// A multiple of 16.
  ptrdiff_t channels;
} ck_winograd_input;

/// (tile + 2)^2 products and the tile x tile pixels, or 2x2 pooled ones, that they become.
typedef struct {
  /// 3 to 6.
  int tile;
  const float *matrices;
  ptrdiff_t matrix;
  float *pixels;
  /// Whether the pixels are bf16 numbers, then `row` and `pixel` count those.
  bool pixels_are_bf16;
  ptrdiff_t row;
  ptrdiff_t pixel;
  /// How many rows and columns of pixels are stored.
  int rows, columns;
  /// A multiple of 16.
  ptrdiff_t channels;
  /// `channels` floats.
  const float *bias;
  bool relu;
  /// The largest result with `relu`, or 0 for no limit.
  float ceiling;
  /// Whether each 2x2 block is replaced by its largest; only where `tile` is even.
  bool pooled;
} ck_winograd_output;

/// The kernels of one instruction set; constant, so Swift may share it between threads.
typedef struct __attribute__((swift_attr("@Sendable"))) {
  const char *name;
  /// The name of the tables of training and of pictures that go with this one.
  const char *others;
  /// Whether the CPU has instructions for bf16; without them the functions are slow.
  bool has_bf16;
  /// Columns that B is packed by.
  ptrdiff_t panel;
  /// Rows that the product keeps in registers.
  ptrdiff_t product_rows;
  void (*f32_product)(const ck_product *);
  void (*f32_winograd_input)(const ck_winograd_input *);
  void (*f32_winograd_output)(const ck_winograd_output *);
  /// The (tile + 2)^2 transformed values of each 3x3 kernel.
  ///
  /// weights: 3x3 kernels, `tap` floats apart, `columns` outputs of one input channel side by
  /// side; result: (tile + 2)^2 rows of `panel` floats, `matrix` apart, zero beyond `columns`.
  void (*f32_winograd_kernel)(
    int tile, const float *weights, ptrdiff_t tap, ptrdiff_t columns, float *result,
    ptrdiff_t matrix);
  /// Turns `columns` rows of `depth` floats, `row` apart, into `depth` rows of `panel` floats,
  /// zero beyond `columns`.
  void (*f32_pack_transposed)(
    const float *x, ptrdiff_t row, ptrdiff_t columns, ptrdiff_t depth, float *result);
  /// As f32_product, but each float of A and B is a slot for two bf16 numbers, the first in its
  /// lower half: depth and the distances of A count slots. C, bias and addend are floats.
  void (*bf16_product)(const ck_product *);
  /// As f32_winograd_input, but the matrices are of bf16 numbers: `matrix` counts slots.
  void (*bf16_winograd_input)(const ck_winograd_input *);
  /// Rounds `count` floats to bf16, two a slot.
  void (*bf16_round)(const float *x, float *slots, ptrdiff_t count);
  /// One row of slots of a packed B, `panel` long, from two rows of `columns` floats; zeros beyond.
  void (*bf16_pack)(const float *first, const float *second, ptrdiff_t columns, float *slots);
  void (*f32_depthwise)(const ck_depthwise *);
  /// result[i] = max(result[i], x[i])
  void (*f32_max)(const float *x, float *result, ptrdiff_t count);
  /// result[i] += x[i]
  void (*f32_add)(const float *x, float *result, ptrdiff_t count);
} ck_table;

/// The tables that this CPU can run, slowest first; NULL past the end.
const ck_table *ck_table_at(int index);

/// The table of CPUs with AMX, its tiles imitated: for tests.
const ck_table *ck_table_imitating_tiles(void);

/// What a thread does that looks again and again whether something has changed: it leaves the
/// core's units to the other thread that may share them.
static inline void ck_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}
