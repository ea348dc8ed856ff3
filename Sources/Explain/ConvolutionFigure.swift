import Drawing
package import Images

extension HandConvolution {
  private static let longestSide = 720.0

  /// The photo, the kernel's numbers and what comes out, side by side.
  package func figure() -> RGBImage {
    // Both pictures in one scale, so that a stride is seen.
    let longest = Double(max(input.width, input.height, output.width, output.height))
    let scale = min(1, Self.longestSide / longest)
    let (left, right) = (size(input, scale), size(output, scale))
    let (top, margin, gap) = (52.0, 20.0, 28.0)
    let cell = max(20, min(54, 300 / Double(max(kernel.width, kernel.height))))
    let table = (width: cell * Double(kernel.width), height: cell * Double(kernel.height))
    let middle = max(table.width, 110)
    let height = max(left.height, right.height, table.height)
    let canvas = Canvas(
      width: Int(2 * margin + left.width + gap + middle + gap + right.width),
      height: Int(top + height + margin))
    let places = (
      input: margin, kernel: margin + left.width + gap,
      output: margin + left.width + 2 * gap + middle
    )
    caption(canvas, "photo", "\(input.height) × \(input.width)", at: places.input, left.width)
    caption(
      canvas, kernel.name, "\(kernel.height) × \(kernel.width), stride \(rows.stride)",
      at: places.kernel, middle + gap)
    caption(canvas, "result", "\(output.height) × \(output.width)", at: places.output, right.width)
    canvas.picture(
      input, at: Point(places.input, top), width: left.width, height: left.height, isSmooth: true)
    numbers(canvas, at: Point(places.kernel + (middle - table.width) / 2, top), cell: cell)
    canvas.picture(
      output, at: Point(places.output, top), width: right.width, height: right.height,
      isSmooth: true)
    return canvas.image
  }

  private func size(_ image: RGBImage, _ scale: Double) -> (width: Double, height: Double) {
    (
      max(1, (Double(image.width) * scale).rounded()),
      max(1, (Double(image.height) * scale).rounded())
    )
  }

  private func caption(
    _ canvas: Canvas, _ title: String, _ detail: String, at x: Double, _ width: Double
  ) {
    let limit = max(width, 90)
    canvas.text(title, at: Point(x, 24), size: 16, isBold: true, limit: limit)
    canvas.text(
      detail, at: Point(x, 42), size: 12, color: Color(hex: 0x555555), limit: limit)
  }

  /// The weights in squares, their shade saying how large they are.
  private func numbers(_ canvas: Canvas, at corner: Point, cell: Double) {
    let largest = kernel.weights.map(abs).max() ?? 1
    for (index, weight) in kernel.weights.enumerated() {
      let place = Point(
        corner.x + Double(index % kernel.width) * cell,
        corner.y + Double(index / kernel.width) * cell)
      let share = largest > 0 ? Double(weight / largest) : 0
      let shade = 0.5 + 0.5 * share
      canvas.rectangle(place, cell - 2, cell - 2)
      canvas.fill(Color(shade, shade, shade))
      canvas.text(
        short(weight), at: Point(place.x + cell / 2 - 1, place.y + cell / 2 + cell * 0.1),
        size: cell * 0.32, color: shade > 0.45 ? .black : .white, anchor: .middle,
        limit: cell - 3)
    }
  }

  private func short(_ weight: Float) -> String {
    let rounded = (weight * 100).rounded() / 100
    return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
  }
}
