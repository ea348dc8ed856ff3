internal import CCairo
package import Images

/// Where a text stands against its point, from left to right.
package enum TextAnchor: Sendable { case start, middle, end }

extension Canvas {
  /// Writes one line of text.
  ///
  /// - Parameters:
  ///   - point: on the base line, at the start, middle or end of the text.
  ///   - size: the font's, in pixels.
  ///   - limit: the width in pixels beyond which the middle of the text is left out.
  package func text(
    _ text: String, at point: Point, size: Double, color: Color = .black, isBold: Bool = false,
    anchor: TextAnchor = .start, limit: Double = .infinity
  ) {
    let shown = shortened(text, size: size, isBold: isBold, limit: limit)
    let width = textWidth(shown, size: size, isBold: isBold)
    MissingLetters.note(missing(in: shown), hasFont: hasFont)
    let shift: Double =
      switch anchor {
      case .start: 0
      case .middle: -width / 2
      case .end: -width
      }
    cairo_set_source_rgba(context, color.red, color.green, color.blue, color.alpha)
    cairo_move_to(context, point.x + shift, point.y)
    cairo_show_text(context, writable(shown))
    cairo_new_path(context)
  }

  /// How far the next letter after the text would be from its start.
  package func textWidth(_ text: String, size: Double, isBold: Bool = false) -> Double {
    cairo_select_font_face(
      context, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
      isBold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL)
    cairo_set_font_size(context, size)
    var extents = cairo_text_extents_t()
    cairo_text_extents(context, writable(text), &extents)
    return extents.x_advance
  }

  /// The text with as much of its middle left out as the limit asks for; empty if nothing fits.
  private func shortened(
    _ text: String, size: Double, isBold: Bool, limit: Double
  ) -> String {
    guard textWidth(text, size: size, isBold: isBold) > limit else { return text }
    let letters = Array(text)
    for kept in stride(from: letters.count - 1, to: 0, by: -1) {
      let short =
        String(letters.prefix((kept + 1) / 2)) + "…" + String(letters.suffix(kept / 2))
      if textWidth(short, size: size, isBold: isBold) <= limit { return short }
    }
    return ""
  }

  /// Draws a picture into a rectangle.
  ///
  /// - Parameter isSmooth: whether neighbours are mixed where sizes differ; without, enlarged
  ///   pixels stay squares.
  package func picture(
    _ image: RGBImage, at corner: Point, width: Double, height: Double, isSmooth: Bool = false
  ) {
    var pixels = [UInt32](repeating: 0, count: image.width * image.height)
    for index in pixels.indices {
      let start = index * 3
      pixels[index] =
        UInt32(image.pixels[start]) << 16 | UInt32(image.pixels[start + 1]) << 8
        | UInt32(image.pixels[start + 2])
    }
    pixels.withUnsafeMutableBytes { bytes in
      let source = cairo_image_surface_create_for_data(
        bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), CAIRO_FORMAT_RGB24,
        Int32(image.width), Int32(image.height), Int32(image.width * 4))
      cairo_save(context)
      cairo_translate(context, corner.x, corner.y)
      cairo_scale(context, width / Double(image.width), height / Double(image.height))
      cairo_set_source_surface(context, source, 0, 0)
      let pattern = cairo_get_source(context)
      cairo_pattern_set_filter(pattern, isSmooth ? CAIRO_FILTER_GOOD : CAIRO_FILTER_NEAREST)
      cairo_pattern_set_extend(pattern, CAIRO_EXTEND_PAD)
      cairo_rectangle(context, 0, 0, Double(image.width), Double(image.height))
      cairo_fill(context)
      cairo_restore(context)
      cairo_surface_finish(source)
      cairo_surface_destroy(source)
    }
  }
}
