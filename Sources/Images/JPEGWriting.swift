internal import CTurboJPEG

extension RGBImage {
  /// The picture as the bytes of a JPEG file.
  ///
  /// - Parameter quality: 1 to 100; colour is stored at half the resolution, as cameras do.
  package func jpeg(quality: Int) throws(ImagesError) -> [UInt8] {
    guard let handle = tjInitCompress() else {
      throw .cannotEncode(width: width, height: height)
    }
    defer { tjDestroy(handle) }
    var data: UnsafeMutablePointer<UInt8>?
    var count: UInt = 0
    defer { tjFree(data) }
    let code = pixels.withUnsafeBufferPointer {
      tjCompress2(
        handle, $0.baseAddress, Int32(width), 0, Int32(height), Int32(TJPF_RGB.rawValue), &data,
        &count, Int32(TJSAMP_420.rawValue), Int32(min(max(quality, 1), 100)), 0)
    }
    guard code == 0, let data else { throw .cannotEncode(width: width, height: height) }
    return [UInt8](UnsafeBufferPointer(start: data, count: Int(count)))
  }
}
