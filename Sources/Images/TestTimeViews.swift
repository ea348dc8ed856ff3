/// Which views of a photo are shown to a trained network, whose answers are then averaged.
package enum TestTimeViews: String, Sendable, CaseIterable {
  /// The photo alone.
  case one
  /// The photo and its mirror image.
  case flip
  /// Four corners and the middle of a larger picture: torchvision's `FiveCrop`.
  case fiveCrop = "five-crop"
  /// Those five and their mirror images: torchvision's `TenCrop`.
  case tenCrop = "ten-crop"

  /// What is done, for people.
  package var summary: String {
    switch self {
    case .one: "the photo alone"
    case .flip: "the photo and its mirror image"
    case .fiveCrop: "four corners and the middle"
    case .tenCrop: "four corners and the middle, and their mirror images"
    }
  }

  package var count: Int {
    switch self {
    case .one: 1
    case .flip: 2
    case .fiveCrop: 5
    case .tenCrop: 10
    }
  }

  /// The views of an upright photo; for crops it is scaled to 8/7 of the frame (256 for 224), or
  /// as `FitMode.shorterSide` says.
  func pictures(
    of upright: RGBImage, unchanged: (image: RGBImage, exact: FloatPicture?), _ loader: PhotoLoader
  ) -> [NetworkPicture] {
    switch self {
    case .one: return [picture(unchanged)]
    case .flip: return [picture(unchanged), picture(unchanged).mirrored]
    case .fiveCrop, .tenCrop:
      let whole = enlarged(upright, loader)
      let five = Self.crops(of: whole, loader)
      return self == .fiveCrop ? five : five + Self.crops(of: whole.mirrored, loader)
    }
  }

  private func picture(_ fitted: (image: RGBImage, exact: FloatPicture?)) -> NetworkPicture {
    fitted.exact.map(NetworkPicture.exact) ?? .whole(fitted.image)
  }

  private func enlarged(_ upright: RGBImage, _ loader: PhotoLoader) -> NetworkPicture {
    if case .shorterSide(let size) = loader.fit, size >= max(loader.height, loader.width) {
      let longer = size * max(upright.height, upright.width) / min(upright.height, upright.width)
      let isWide = upright.height < upright.width
      return picture(
        upright.fitted(
          height: isWide ? size : longer, width: isWide ? longer : size, .squash,
          loader.interpolation))
    }
    func larger(_ size: Int) -> Int { (size * 8 + 3) / 7 }
    return picture(
      upright.fitted(
        height: larger(loader.height), width: larger(loader.width), loader.fit,
        loader.interpolation))
  }

  /// The corners at the upper left, upper right, lower left and lower right, and the middle.
  private static func crops(of whole: NetworkPicture, _ loader: PhotoLoader) -> [NetworkPicture] {
    let (height, width) = (loader.height, loader.width)
    let (bottom, right) = (whole.height - height, whole.width - width)
    let middle = (
      Int((Double(bottom) / 2).rounded(.toNearestOrEven)),
      Int((Double(right) / 2).rounded(.toNearestOrEven))
    )
    return [(0, 0), (0, right), (bottom, 0), (bottom, right), middle].map { top, left in
      whole.cut(PictureWindow(top: top, left: left, height: height, width: width))
    }
  }
}

extension NetworkPicture {
  /// The picture mirrored left to right.
  var mirrored: NetworkPicture {
    switch self {
    case .whole(let image): return .whole(image.upright(from: Orientation(2)))
    case .exact(var picture):
      picture.flipHorizontally()
      return .exact(picture)
    }
  }

  func cut(_ window: PictureWindow) -> NetworkPicture {
    switch self {
    case .whole(let image): .whole(image.cut(window))
    case .exact(let picture): .exact(picture.cut(window))
    }
  }
}
