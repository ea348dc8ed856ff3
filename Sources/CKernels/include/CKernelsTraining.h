// Inner loops that only training needs, in tables like those of CKernels.h.
#pragma once
#include <limits.h>
#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>

/// C = A * B, or C += A * B, where B is read as it lies: for products of few rows or small depth,
/// whose operands are used too seldom to be worth packing. Zeros of A may be left out.
typedef struct {
  const float *a;
  ptrdiff_t a_row;
  ptrdiff_t a_column;
  const float *b;
  ptrdiff_t b_row;
  float *c;
  ptrdiff_t c_row;
  ptrdiff_t rows;
  ptrdiff_t columns;
  ptrdiff_t depth;
  /// Whether sums start from what C holds, not from 0.
  bool accumulate;
  /// What will be written next, if anything: with each step of the depth, as many floats as C has
  /// columns are fetched into the cache from a row at either place.
  const float *next[2];
  ptrdiff_t next_row;
  ptrdiff_t next_rows;
} ck_small_product;

/// Some consecutive elements of a tensor in one step of an optimizer.
typedef struct {
  float *values;
  const float *gradient;
  /// Velocity or mean of gradients, where the rule has it.
  float *first;
  /// Mean of squared gradients, where the rule has it.
  float *second;
  ptrdiff_t count;
  /// In place of `gradient` where it is not NULL: the gradients are its A * B, row by row.
  const ck_small_product *product;
} ck_update;

/// tile x tile pixels of a gradient and the (tile + 2)^2 matrices that they are transformed to: the
/// transpose of what f32_winograd_output computes.
typedef struct {
  /// 4 or 3.
  int tile;
  const float *pixels;
  ptrdiff_t row;
  ptrdiff_t pixel;
  /// Rows and columns of the tile that lie in the picture; the others count as 0.
  int rows, columns;
  float *matrices;
  ptrdiff_t matrix;
  /// A multiple of 16, or a whole panel.
  ptrdiff_t channels;
} ck_winograd_gradient;

/// (tile + 2)^2 matrices and the gradients of 3x3 kernels that they become: the transpose of what
/// f32_winograd_kernel computes.
typedef struct {
  /// 4 or 3.
  int tile;
  const float *matrices;
  ptrdiff_t matrix;
  float *gradient;
  ptrdiff_t tap;
  /// Kernels side by side, a multiple of 16.
  ptrdiff_t count;
  /// Whether the gradients are added to what is there.
  bool adds;
} ck_winograd_kernel_gradient;

/// One window of a max pooling on the way back: each channel's gradient goes to the first pixel, row
/// by row, that holds the channel's maximum.
typedef struct {
  /// The output pixel and its gradient, `channels` each.
  const float *y;
  const float *dy;
  /// The first pixel of the window and of its gradient, which is added to.
  const float *x;
  float *dx;
  ptrdiff_t rows;
  ptrdiff_t columns;
  /// From one row of the picture to the next; pixels follow each other.
  ptrdiff_t row;
  ptrdiff_t channels;
} ck_max_pooling_gradient;

/// Pixels of two pictures and the weights that join them, channel by channel: one tap of a
/// convolution that keeps channels apart.
typedef struct {
  /// Pixels that are read, `read_step` from one to the next.
  const float *read;
  ptrdiff_t read_step;
  /// Pixels that are added to, or read as well.
  float *other;
  ptrdiff_t other_step;
  /// `channels` weights, or sums that are added to.
  float *weights;
  ptrdiff_t count;
  ptrdiff_t channels;
} ck_tap;

/// The training kernels of one instruction set.
typedef struct __attribute__((swift_attr("@Sendable"))) {
  const char *name;
  void (*f32_small_product)(const ck_small_product *);
  /// m = momentum * m - rate * g; p += m, or p += momentum * m - rate * g.
  void (*f32_momentum)(const ck_update *, float rate, float momentum, bool nesterov);
  /// v = rho * v + (1 - rho) * g^2; p -= rate * g / sqrt(v + epsilon).
  void (*f32_rmsprop)(const ck_update *, float rate, float rho, float epsilon);
  /// m += (1 - beta1) * (g - m); v += (1 - beta2) * (g^2 - v); p -= rate * m / (sqrt(v) + epsilon).
  void (*f32_adam)(const ck_update *, float rate, float beta1, float beta2, float epsilon);
  /// y[i] = max(y[i], 0); NaN stays.
  void (*f32_relu)(float *y, ptrdiff_t count);
  /// dx[i] = y[i] > 0 ? dy[i] : 0
  void (*f32_relu_gradient)(const float *dy, const float *y, float *dx, ptrdiff_t count);
  void (*f32_max_pooling_gradient)(const ck_max_pooling_gradient *);
  /// other[i][c] += read[i][c] * weights[c]
  void (*f32_tap_spread)(const ck_tap *);
  /// weights[c] += sum over i of read[i][c] * other[i][c]
  void (*f32_tap_sums)(const ck_tap *);
  void (*f32_winograd_gradient)(const ck_winograd_gradient *);
  void (*f32_winograd_kernel_gradient)(const ck_winograd_kernel_gradient *);
} ck_training_table;

/// Keeps freed blocks of all sizes in the process; mallopt is not in Swift's Glibc.
static inline bool ck_keep_freed_memory(void) {
  return mallopt(M_MMAP_THRESHOLD, INT_MAX) && mallopt(M_TRIM_THRESHOLD, INT_MAX);
}

/// The table that goes with the ck_table of that name; NULL where there is none.
const ck_training_table *ck_training_table_named(const char *name);
