// Drawing makes pictures out of shapes with the Cairo library, which only this module imports. It
// knows nothing of what is drawn.
internal import CCairo
package import Images

/// A point of a drawing, x to the right and y down.
package struct Point: Sendable, Equatable {
  package var x: Double
  package var y: Double

  package init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }
}

/// A picture that is drawn on, white at first. Not to be shared by threads.
///
///     let canvas = Canvas(width: 100, height: 80)
///     canvas.ellipse(Point(50, 40), 30, 20)
///     canvas.fill(Color(hex: 0xD98E4A))
///     let image = canvas.image
package final class Canvas {
  package let width: Int
  package let height: Int
  let surface: OpaquePointer
  let context: OpaquePointer

  /// - Parameters: sides in pixels, 1 to 16384.
  package init(width: Int, height: Int) {
    precondition(
      (1...16384).contains(width) && (1...16384).contains(height),
      "a canvas has sides of 1 to 16384 pixels but got \(width) x \(height)")
    guard
      let surface = cairo_image_surface_create(
        CAIRO_FORMAT_RGB24, Int32(width), Int32(height)),
      let context = cairo_create(surface),
      cairo_status(context) == CAIRO_STATUS_SUCCESS
    else { preconditionFailure("no memory for a canvas of \(width) x \(height) pixels") }
    (self.width, self.height) = (width, height)
    (self.surface, self.context) = (surface, context)
    cover(.white)
  }

  deinit {
    cairo_destroy(context)
    cairo_surface_destroy(surface)
  }

  /// What has been drawn.
  package var image: RGBImage {
    cairo_surface_flush(surface)
    let stride = Int(cairo_image_surface_get_stride(surface))
    guard let data = cairo_image_surface_get_data(surface) else {
      preconditionFailure("the canvas has no pixels")
    }
    var pixels = [UInt8]()
    pixels.reserveCapacity(width * height * 3)
    for y in 0..<height {
      // A pixel is a 32-bit number 0xXXRRGGBB.
      let row = UnsafeRawPointer(data + y * stride).assumingMemoryBound(to: UInt32.self)
      for x in 0..<width {
        let pixel = row[x]
        pixels.append(UInt8(truncatingIfNeeded: pixel >> 16))
        pixels.append(UInt8(truncatingIfNeeded: pixel >> 8))
        pixels.append(UInt8(truncatingIfNeeded: pixel))
      }
    }
    return RGBImage(width: width, height: height, pixels: pixels)
  }
}

// MARK: - Paths

extension Canvas {
  package func move(_ point: Point) { cairo_move_to(context, point.x, point.y) }

  package func line(_ point: Point) { cairo_line_to(context, point.x, point.y) }

  /// A cubic Bezier curve with two control points.
  package func curve(_ first: Point, _ second: Point, _ end: Point) {
    cairo_curve_to(context, first.x, first.y, second.x, second.y, end.x, end.y)
  }

  package func close() { cairo_close_path(context) }

  /// Adds an ellipse; `angle` turns it clockwise, in radians.
  package func ellipse(
    _ center: Point, _ radiusX: Double, _ radiusY: Double, angle: Double = 0
  ) {
    guard radiusX > 0, radiusY > 0 else { return }
    cairo_save(context)
    cairo_translate(context, center.x, center.y)
    cairo_rotate(context, angle)
    cairo_scale(context, radiusX, radiusY)
    cairo_new_sub_path(context)
    cairo_arc(context, 0, 0, 1, 0, 2 * Double.pi)
    cairo_close_path(context)
    cairo_restore(context)
  }

  package func rectangle(_ corner: Point, _ width: Double, _ height: Double) {
    cairo_rectangle(context, corner.x, corner.y, width, height)
  }

  package func polygon(_ points: [Point]) {
    for (index, point) in points.enumerated() {
      if index == 0 { move(point) } else { line(point) }
    }
    close()
  }

  /// A closed smooth outline through all points (Catmull and Rom's spline).
  package func blob(_ points: [Point]) {
    let count = points.count
    precondition(count >= 3, "an outline needs 3 points but got \(count)")
    move(points[0])
    for index in 0..<count {
      let (before, start) = (points[(index + count - 1) % count], points[index])
      let (end, after) = (points[(index + 1) % count], points[(index + 2) % count])
      curve(
        Point(start.x + (end.x - before.x) / 6, start.y + (end.y - before.y) / 6),
        Point(end.x - (after.x - start.x) / 6, end.y - (after.y - start.y) / 6), end)
    }
    close()
  }
}

// MARK: - Paint

extension Canvas {
  /// Covers everything, or what is clipped to.
  package func cover(_ color: Color) {
    use(color)
    cairo_paint(context)
  }

  /// Fills the path; it is kept for more if asked.
  package func fill(_ color: Color, keeping: Bool = false) {
    use(color)
    if keeping { cairo_fill_preserve(context) } else { cairo_fill(context) }
  }

  /// Fills the path with a gradient from point to point.
  package func fill(from start: Point, to end: Point, _ colors: [Color], keeping: Bool = false) {
    paint(cairo_pattern_create_linear(start.x, start.y, end.x, end.y), colors, keeping: keeping)
  }

  /// Fills the path with a gradient from a centre outwards.
  package func fill(
    around center: Point, radius: Double, _ colors: [Color], keeping: Bool = false
  ) {
    paint(
      cairo_pattern_create_radial(center.x, center.y, 0, center.x, center.y, radius), colors,
      keeping: keeping)
  }

  /// Draws along the path with round ends.
  package func stroke(_ color: Color, width: Double, keeping: Bool = false) {
    use(color)
    cairo_set_line_width(context, width)
    cairo_set_line_cap(context, CAIRO_LINE_CAP_ROUND)
    cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND)
    if keeping { cairo_stroke_preserve(context) } else { cairo_stroke(context) }
  }

  private func use(_ color: Color) {
    cairo_set_source_rgba(context, color.red, color.green, color.blue, color.alpha)
  }

  private func paint(_ pattern: OpaquePointer?, _ colors: [Color], keeping: Bool) {
    for (index, color) in colors.enumerated() {
      cairo_pattern_add_color_stop_rgba(
        pattern, Double(index) / Double(max(colors.count - 1, 1)), color.red, color.green,
        color.blue, color.alpha)
    }
    cairo_set_source(context, pattern)
    cairo_pattern_destroy(pattern)
    if keeping { cairo_fill_preserve(context) } else { cairo_fill(context) }
  }
}

// MARK: - Places

extension Canvas {
  /// Lets `body` draw with the origin at `origin`, turned and scaled; afterwards all is as before.
  package func placed(
    _ origin: Point, angle: Double = 0, scale: Point = Point(1, 1), _ body: () -> Void
  ) {
    cairo_save(context)
    cairo_translate(context, origin.x, origin.y)
    cairo_rotate(context, angle)
    cairo_scale(context, scale.x, scale.y)
    body()
    cairo_restore(context)
  }

  /// Lets `body` draw only inside the path.
  package func clipped(_ body: () -> Void) {
    cairo_save(context)
    cairo_clip(context)
    body()
    cairo_restore(context)
  }
}
