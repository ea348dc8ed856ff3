/// How a photo must be turned to stand upright: the EXIF `Orientation` tag, 1...8.
package struct Orientation: Sendable, Hashable {
  /// 1 is upright; any value outside 1...8 counts as 1, as in Pillow's `exif_transpose`.
  package let value: Int

  package static let upright = Orientation(1)

  package init(_ value: Int) { self.value = (1...8).contains(value) ? value : 1 }

  package var isUpright: Bool { value == 1 }
}

extension RGBImage {
  /// The picture turned or mirrored so that it stands upright.
  package func upright(from orientation: Orientation) -> RGBImage {
    if orientation.isUpright { return self }
    let swapsAxes = orientation.value >= 5
    let (origin, stepX, stepY) = sourceSteps(for: orientation)
    let newWidth = swapsAxes ? height : width
    let newHeight = swapsAxes ? width : height
    return pixels.withUnsafeBufferPointer { source in
      RGBImage(width: newWidth, height: newHeight) { target in
        var next = target
        for y in 0..<newHeight {
          var from = (origin + y * stepY) * 3
          for _ in 0..<newWidth {
            next[0] = source[from]
            next[1] = source[from + 1]
            next[2] = source[from + 2]
            next += 3
            from += stepX * 3
          }
        }
      }
    }
  }

  /// Where the upright picture's first pixel comes from, and the steps to its right and lower
  /// neighbour, counted in pixels of this picture.
  private func sourceSteps(for orientation: Orientation) -> (origin: Int, x: Int, y: Int) {
    let last = width * height - 1
    let lastRow = (height - 1) * width
    switch orientation.value {
    case 2: return (width - 1, -1, width)
    case 3: return (last, -1, -width)
    case 4: return (lastRow, 1, -width)
    case 5: return (0, width, 1)
    case 6: return (lastRow, -width, 1)
    case 7: return (last, -width, -1)
    case 8: return (width - 1, width, -1)
    default: return (0, 1, width)
    }
  }
}
