internal import CKernels

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
    let resample = PictureKernels.functions.u8_resample_row!
    let axis = AxisWeights(from: width, to: newWidth, filter)
    return pixels.withUnsafeBufferPointer { source in
      RGBImage(width: newWidth, height: height) { target in
        axis.withKernelWeights { weights in
          withUnsafePointer(to: weights) { weights in
            for row in 0..<height {
              resample(
                source.baseAddress! + row * width * 3, width, weights, newWidth,
                target + row * newWidth * 3)
            }
          }
        }
      }
    }
  }

  private func resampledVertically(_ newHeight: Int, _ filter: ResamplingFilter) -> RGBImage {
    if newHeight == height { return self }
    let resample = PictureKernels.functions.u8_resample_column!
    let axis = AxisWeights(from: height, to: newHeight, filter)
    let rowSize = width * 3
    return pixels.withUnsafeBufferPointer { source in
      RGBImage(width: width, height: newHeight) { target in
        axis.withKernelWeights { weights in
          for position in 0..<newHeight {
            resample(
              source.baseAddress! + Int(weights.starts[position]) * rowSize, rowSize,
              weights.weights + position * weights.stride, Int(weights.counts[position]),
              target + position * rowSize)
          }
        }
      }
    }
  }
}
