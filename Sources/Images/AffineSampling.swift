internal import CKernels
import Glibc

extension RGBImage {
  /// The picture whose pixels come from where `map` says, blended from the four around there.
  ///
  /// Positions are computed in Float64 and in the order of SciPy's `affine_transform`, as at the
  /// edges of constant and wrapped pictures the last bit decides.
  func moved(_ map: AffineMap, _ fill: FillMode, _ fillValue: Float) -> FloatPicture {
    // The kernels may write one float behind a row.
    let samples = [Float](unsafeUninitializedCapacity: width * height * 3 + 1) { target, count in
      pixels.withUnsafeBufferPointer { source in
        let sampler = Sampler(
          kernel: PictureKernels.functions.u8_affine_row, source: source.baseAddress!,
          values: values.baseAddress!, width: width, height: height, fill: fill,
          fillValue: fillValue)
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: width) { leftOut in
          for row in 0..<height {
            sampler.fillRow(
              row, map, target.baseAddress! + row * width * 3, leftOut.baseAddress!)
          }
        }
      }
      count = width * height * 3
    }
    return FloatPicture(width: width, height: height, samples: samples)
  }
}

/// The 256 sample values: reading them is faster than converting.
nonisolated(unsafe) private let values = {
  let values = UnsafeMutableBufferPointer<Double>.allocate(capacity: 256)
  for value in 0..<256 { values.initializeElement(at: value, to: Double(value)) }
  return UnsafeBufferPointer(values)
}()

/// Reads between the pixels of a picture.
private struct Sampler {
  let kernel:
    @convention(c) (
      UnsafePointer<ck_affine_row>?, Int, UnsafeMutablePointer<Float>?,
      UnsafeMutablePointer<Int32>?
    ) -> Int
  let source: UnsafePointer<UInt8>
  let values: UnsafePointer<Double>
  let width: Int
  let height: Int
  let fill: FillMode
  let fillValue: Float

  /// - Parameter leftOut: room for a row's columns.
  func fillRow(
    _ row: Int, _ map: AffineMap, _ target: UnsafeMutablePointer<Float>,
    _ leftOut: UnsafeMutablePointer<Int32>
  ) {
    var places = ck_affine_row(
      source: source, width: width, height: height,
      y_start: map.rowStart + Double(row) * map.rowByRow, y_step: map.rowByColumn,
      x_start: map.columnStart + Double(row) * map.columnByRow, x_step: map.columnByColumn)
    for index in 0..<kernel(&places, width, target, leftOut) {
      let column = Double(leftOut[index])
      sampleNearEdge(
        places.y_start + column * places.y_step, places.x_start + column * places.x_step,
        target + Int(leftOut[index]) * 3)
    }
  }

  /// The pixel at a position that may lie anywhere.
  private func sampleNearEdge(_ y: Double, _ x: Double, _ target: UnsafeMutablePointer<Float>) {
    guard let y = place(y, height), let x = place(x, width) else {
      for channel in 0..<3 { target[channel] = fillValue }
      return
    }
    let corner = source + (y.first * width + x.first) * 3
    blend(
      corner, (x.second - x.first) * 3, (y.second - y.first) * width * 3, y.share, x.share, target)
  }

  /// The two pixels of an axis that a position lies between, and how far it is to the second;
  /// nil where the fill value is seen.
  private func place(_ position: Double, _ size: Int) -> (first: Int, second: Int, share: Double)? {
    let last = size - 1
    var place = position
    switch fill {
    case .constant:
      guard place >= 0 && place <= Double(last) else { return nil }
    case .nearest:
      place = min(max(place, 0), Double(last))
    case .reflect:
      let floored = place.rounded(.down)
      return (mirrored(floored, size), mirrored(floored + 1, size), place - floored)
    case .wrap:
      // SciPy's "wrap" comes back to the first pixel's place at the last, not one behind it.
      if last == 0 { return (0, 0, 0) }
      let turn = Double(last)
      if place < 0 {
        place += turn * ((-place / turn).rounded(.down) + 1)
      } else if place > turn {
        place -= turn * (place / turn).rounded(.down)
      }
    }
    let first = max(0, min(Int(place), last))
    return (first, min(first + 1, last), place - Double(first))
  }

  /// The index that a whole position shows in a picture mirrored at both edges, again and again.
  private func mirrored(_ position: Double, _ size: Int) -> Int {
    let period = Double(2 * size)
    let place = Int(position - period * (position / period).rounded(.down))
    return max(0, min(place < size ? place : 2 * size - 1 - place, size - 1))
  }

  /// Blends the pixel at `corner` with its neighbours `right`, `down` and both away.
  @inline(__always)
  private func blend(
    _ corner: UnsafePointer<UInt8>, _ right: Int, _ down: Int, _ downShare: Double,
    _ rightShare: Double, _ target: UnsafeMutablePointer<Float>
  ) {
    let first = (1 - downShare) * (1 - rightShare)
    let second = (1 - downShare) * rightShare
    let third = downShare * (1 - rightShare)
    let fourth = downShare * rightShare
    for channel in 0..<3 {
      let sum =
        values[Int(corner[channel])] * first + values[Int(corner[channel + right])] * second
        + values[Int(corner[channel + down])] * third
        + values[Int(corner[channel + right + down])] * fourth
      target[channel] = Float(sum)
    }
  }
}
