/// Pictures of one size in rows on white, to be looked at together.
package struct ContactSheet: Sendable {
  private static let gap = 4
  private let cellHeight: Int
  private let cellWidth: Int
  private var rows: [[RGBImage]] = []

  /// An empty sheet for pictures of that size.
  package init(height: Int, width: Int) {
    (cellHeight, cellWidth) = (height, width)
  }

  /// Refuses a sheet of more than `RGBImage.pixelLimit` pixels.
  package func checkSize(rows: Int, columns: Int) throws(ImagesError) {
    let width = columns * (cellWidth + Self.gap) + Self.gap
    let height = rows * (cellHeight + Self.gap) + Self.gap
    if width > RGBImage.pixelLimit / height { throw .cannotEncode(width: width, height: height) }
  }

  /// Adds a row of pictures at the bottom.
  package mutating func add(_ row: [RGBImage]) {
    for picture in row {
      precondition(
        picture.height == cellHeight && picture.width == cellWidth,
        "pictures must be \(cellHeight) x \(cellWidth) but one is \(picture.height) x "
          + "\(picture.width)")
    }
    rows.append(row)
  }

  /// The sheet with a white gap around every picture; nil before anything was added.
  package var image: RGBImage? {
    let columns = rows.map(\.count).max() ?? 0
    guard columns > 0 else { return nil }
    let width = columns * (cellWidth + Self.gap) + Self.gap
    let height = rows.count * (cellHeight + Self.gap) + Self.gap
    return RGBImage(width: width, height: height) { target in
      target.update(repeating: 255, count: width * height * 3)
      for (index, row) in rows.enumerated() {
        for (column, picture) in row.enumerated() {
          let top = Self.gap + index * (cellHeight + Self.gap)
          let left = Self.gap + column * (cellWidth + Self.gap)
          picture.pixels.withUnsafeBufferPointer { pixels in
            for line in 0..<cellHeight {
              (target + ((top + line) * width + left) * 3).update(
                from: pixels.baseAddress! + line * cellWidth * 3, count: cellWidth * 3)
            }
          }
        }
      }
    }
  }
}
