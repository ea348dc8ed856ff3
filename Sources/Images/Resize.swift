extension RGBImage {
  /// The picture in another size, with the pixels that Pillow's `resize` gives; `.tfBilinear` is
  /// rounded to 8 bits.
  package func resized(
    height newHeight: Int, width newWidth: Int, _ interpolation: Interpolation
  ) -> RGBImage {
    precondition(
      newHeight > 0 && newWidth > 0,
      "a new size must be positive but is \(newHeight) x \(newWidth)")
    if newHeight == height && newWidth == width { return self }
    if let filter = interpolation.filter { return resampled(newHeight, newWidth, filter) }
    return interpolation == .tfBilinear
      ? resizedAsTensorFlow(height: newHeight, width: newWidth).rounded
      : pickingNearest(newHeight, newWidth)
  }

  private func pickingNearest(_ newHeight: Int, _ newWidth: Int) -> RGBImage {
    let columns = Self.nearestPositions(from: width, to: newWidth)
    let rows = Self.nearestPositions(from: height, to: newHeight)
    return pixels.withUnsafeBufferPointer { source in
      RGBImage(width: newWidth, height: newHeight) { target in
        var next = target
        for row in rows {
          for column in columns {
            let from = (row * width + column) * 3
            next[0] = source[from]
            next[1] = source[from + 1]
            next[2] = source[from + 2]
            next += 3
          }
        }
      }
    }
  }

  /// Positions are found by adding up steps, as Pillow does: multiplying rounds differently.
  private static func nearestPositions(from oldSize: Int, to newSize: Int) -> [Int] {
    let step = Double(oldSize) / Double(newSize)
    var middle = step * 0.5
    return (0..<newSize).map { _ in
      defer { middle += step }
      return min(Int(middle), oldSize - 1)
    }
  }

  /// One axis after the other, rounded to 8 bits in between.
  ///
  /// The order shows in the last bit. As in Pillow 13 the vertical axis comes first if the picture
  /// loses more than twice as many rows as columns; earlier versions never did that.
  private func resampled(
    _ newHeight: Int, _ newWidth: Int, _ filter: ResamplingFilter
  ) -> RGBImage {
    let rowsFirst = height - newHeight > max(0, (width - newWidth) * 2)
    return rowsFirst
      ? resampledVertically(newHeight, filter).resampledHorizontally(newWidth, filter)
      : resampledHorizontally(newWidth, filter).resampledVertically(newHeight, filter)
  }

  private func resampledHorizontally(_ newWidth: Int, _ filter: ResamplingFilter) -> RGBImage {
    if newWidth == width { return self }
    let axis = AxisWeights(from: width, to: newWidth, filter)
    return pixels.withUnsafeBufferPointer { source in
      axis.weights.withUnsafeBufferPointer { weights in
        axis.starts.withUnsafeBufferPointer { starts in
          axis.counts.withUnsafeBufferPointer { counts in
            RGBImage(width: newWidth, height: height) { target in
              var next = target
              for row in 0..<height {
                let rowStart = source.baseAddress! + row * width * 3
                for position in 0..<newWidth {
                  weighPixels(
                    rowStart + Int(starts[position]) * 3, Int(counts[position]),
                    weights.baseAddress! + position * axis.stride, into: next)
                  next += 3
                }
              }
            }
          }
        }
      }
    }
  }

  private func resampledVertically(_ newHeight: Int, _ filter: ResamplingFilter) -> RGBImage {
    if newHeight == height { return self }
    let axis = AxisWeights(from: height, to: newHeight, filter)
    let rowSize = width * 3
    return pixels.withUnsafeBufferPointer { source in
      withUnsafeTemporaryAllocation(of: Int32.self, capacity: rowSize) { sums in
        RGBImage(width: width, height: newHeight) { target in
          for position in 0..<newHeight {
            sums.update(repeating: half)
            for index in 0..<Int(axis.counts[position]) {
              addRow(
                source.baseAddress! + (Int(axis.starts[position]) + index) * rowSize, rowSize,
                times: axis.weights[position * axis.stride + index], to: sums.baseAddress!)
            }
            let row = target + position * rowSize
            for place in 0..<rowSize { row[place] = clamped(sums[place]) }
          }
        }
      }
    }
  }
}

/// One half in fixed point, for rounding.
private let half: Int32 = 1 << (AxisWeights.fractionBits - 1)

/// The 8-bit sample nearest to a fixed-point sum that `half` was added to.
@inline(__always)
private func clamped(_ sum: Int32) -> UInt8 {
  UInt8(truncatingIfNeeded: max(0, min(255, sum >> AxisWeights.fractionBits)))
}

/// The weighted mean of `count` neighbouring pixels.
@inline(__always)
private func weighPixels(
  _ pixels: UnsafePointer<UInt8>, _ count: Int, _ weights: UnsafePointer<Int32>,
  into target: UnsafeMutablePointer<UInt8>
) {
  var red = half
  var green = half
  var blue = half
  var pixel = pixels
  for index in 0..<count {
    let weight = weights[index]
    red &+= Int32(pixel[0]) &* weight
    green &+= Int32(pixel[1]) &* weight
    blue &+= Int32(pixel[2]) &* weight
    pixel += 3
  }
  target[0] = clamped(red)
  target[1] = clamped(green)
  target[2] = clamped(blue)
}

@inline(__always)
private func addRow(
  _ row: UnsafePointer<UInt8>, _ count: Int, times weight: Int32,
  to sums: UnsafeMutablePointer<Int32>
) {
  for place in 0..<count { sums[place] &+= Int32(row[place]) &* weight }
}
