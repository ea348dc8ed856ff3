package import Images

/// Pictures of one size in rows under a title, each row with the number of its first picture.
package struct PictureGrid: Sendable {
  /// One place of the grid: a picture, or the mark of something that has none.
  package enum Cell: Sendable {
    case picture(RGBImage)
    /// A crossed-out field.
    case dead
  }

  package let title: String
  package let cells: [Cell]
  package let columns: Int
  /// Size of a cell in pixels; pictures are brought to it.
  package let cellWidth: Int
  package let cellHeight: Int

  /// - Parameters:
  ///   - shape: height and width of the pictures as they are; cells keep their proportion.
  ///   - width: about how wide the whole grid shall be, in pixels.
  package init(
    title: String, cells: [Cell], shape: (height: Int, width: Int), columns: Int = 16,
    width: Int = 1280, largestEnlargement: Int = 64
  ) {
    self.title = title
    self.cells = cells
    self.columns = max(1, min(columns, cells.count))
    let room = (width - PictureSheet.margin) / columns - PictureSheet.gap
    cellWidth = max(1, min(room, shape.width * largestEnlargement))
    cellHeight = max(1, cellWidth * shape.height / shape.width)
  }

  var rowCount: Int { (cells.count + columns - 1) / columns }
  var width: Int { columns * (cellWidth + PictureSheet.gap) + PictureSheet.margin }
  var height: Int { rowCount * (cellHeight + PictureSheet.gap) + PictureSheet.titleHeight }
}

/// Grids one below the other under a headline.
package struct PictureSheet: Sendable {
  static let margin = 48
  static let gap = 3
  static let titleHeight = 40
  /// The longest side that a canvas can have.
  package static let limit = 16_384

  package let headline: String
  package let grids: [PictureGrid]

  package init(headline: String, grids: [PictureGrid]) {
    (self.headline, self.grids) = (headline, grids)
  }

  package var size: (width: Int, height: Int) {
    (
      max(480, grids.map(\.width).max() ?? 0) + Self.margin / 3,
      grids.reduce(headline.isEmpty ? 8 : 44) { $0 + $1.height } + 12
    )
  }

  /// The sheet; `size` must be within `limit`.
  package func image() -> RGBImage {
    let canvas = Canvas(width: size.width, height: size.height)
    var top = 8.0
    if !headline.isEmpty {
      canvas.text(
        headline, at: Point(Double(Self.margin), 30), size: 19, isBold: true,
        limit: Double(size.width - Self.margin - 8))
      top = 44
    }
    for grid in grids {
      draw(grid, on: canvas, top: top)
      top += Double(grid.height)
    }
    return canvas.image
  }

  private func draw(_ grid: PictureGrid, on canvas: Canvas, top: Double) {
    let left = Double(Self.margin)
    canvas.text(
      grid.title, at: Point(left, top + 26), size: 15, color: Color(hex: 0x222222),
      limit: Double(canvas.width) - left - 8)
    let (width, height) = (Double(grid.cellWidth), Double(grid.cellHeight))
    for (index, cell) in grid.cells.enumerated() {
      let (row, column) = (index / grid.columns, index % grid.columns)
      let corner = Point(
        left + Double(column) * (width + Double(Self.gap)),
        top + Double(Self.titleHeight) + Double(row) * (height + Double(Self.gap)))
      if column == 0 {
        canvas.text(
          "\(index)", at: Point(left - 6, corner.y + height / 2 + 4), size: 11,
          color: Color(hex: 0x666666), anchor: .end)
      }
      switch cell {
      case .picture(let image):
        canvas.picture(
          image, at: corner, width: width, height: height, isSmooth: image.width > grid.cellWidth)
      case .dead: cross(canvas, corner, width, height)
      }
    }
  }

  private func cross(_ canvas: Canvas, _ corner: Point, _ width: Double, _ height: Double) {
    canvas.rectangle(corner, width, height)
    canvas.fill(Color(hex: 0xE4E4E4))
    let inset = min(width, height) * 0.3
    canvas.move(Point(corner.x + inset, corner.y + inset))
    canvas.line(Point(corner.x + width - inset, corner.y + height - inset))
    canvas.move(Point(corner.x + width - inset, corner.y + inset))
    canvas.line(Point(corner.x + inset, corner.y + height - inset))
    canvas.stroke(Color(hex: 0xA8A8A8), width: 2)
  }
}
