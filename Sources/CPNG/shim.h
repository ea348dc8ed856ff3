#pragma once
#include <png.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// libpng reports errors by longjmp, which must not cross Swift frames; so the whole decode is one
// C call. The simplified png_image_* calls need no longjmp but apply gamma, which must not happen.

enum { CPNG_OK = 0, CPNG_DAMAGED = 1, CPNG_TRUNCATED = 2, CPNG_MESSAGE_SIZE = 128 };

struct cpng_source {
  const uint8_t *bytes;
  size_t count;
  size_t position;
  int ran_out;
  char *message;
};

static inline void cpng_read(png_structp png, png_bytep target, size_t wanted) {
  struct cpng_source *source = (struct cpng_source *)png_get_io_ptr(png);
  if (wanted > source->count - source->position) {
    source->ran_out = 1;
    png_error(png, "the data ends early");
  }
  memcpy(target, source->bytes + source->position, wanted);
  source->position += wanted;
}

static inline void cpng_on_error(png_structp png, png_const_charp text) {
  struct cpng_source *source = (struct cpng_source *)png_get_error_ptr(png);
  strncpy(source->message, text, CPNG_MESSAGE_SIZE - 1);
  source->message[CPNG_MESSAGE_SIZE - 1] = 0;
  png_longjmp(png, 1);
}

// Warnings go nowhere; by default libpng prints them.
static inline void cpng_on_warning(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

// Decodes a PNG into `height` rows of `row_bytes` bytes: one byte per sample, 1/2/4-bit samples
// unscaled, 16-bit samples cut to their high byte except grey ones, which stay big-endian pairs.
// `palette` (768 bytes) receives as many colours as the file has. `message` has
// CPNG_MESSAGE_SIZE bytes. Returns one of the constants above.
static inline int cpng_decode(
    const uint8_t *bytes, size_t count, uint8_t *pixels, size_t row_bytes, size_t height,
    uint8_t *palette, char *message) {
  struct cpng_source source = {bytes, count, 0, 0, message};
  png_structp png =
      png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, cpng_on_error, cpng_on_warning);
  if (!png) return CPNG_DAMAGED;
  png_infop info = png_create_info_struct(png);
  if (!info || setjmp(png_jmpbuf(png))) {
    png_destroy_read_struct(&png, &info, NULL);
    return source.ran_out ? CPNG_TRUNCATED : CPNG_DAMAGED;
  }
  png_set_read_fn(png, &source, cpng_read);
  png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
  // Profiles and texts are neither used nor unpacked.
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
  png_read_info(png, info);

  png_colorp colors = NULL;
  int color_count = 0;
  if (png_get_PLTE(png, info, &colors, &color_count) && color_count <= 256)
    memcpy(palette, colors, (size_t)color_count * 3);
  int depth = png_get_bit_depth(png, info);
  if (depth < 8) png_set_packing(png);
  if (depth == 16 && png_get_color_type(png, info) != PNG_COLOR_TYPE_GRAY) png_set_strip_16(png);
  int passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);
  if (png_get_rowbytes(png, info) != row_bytes || png_get_image_height(png, info) != height)
    png_error(png, "the header changed its mind");
  for (int pass = 0; pass < passes; pass++)
    for (size_t y = 0; y < height; y++) png_read_row(png, pixels + y * row_bytes, NULL);
  png_destroy_read_struct(&png, &info, NULL);
  return CPNG_OK;
}
