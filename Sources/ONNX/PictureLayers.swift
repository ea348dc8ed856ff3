internal import Compute
internal import Layers

extension LayerTranslations {
  static let pictures: [String: LayerTranslation] = [
    "ZeroPadding2D": { try $0.padded(&$1) },
    "Cropping2D": { try $0.cropped(&$1) },
    "CenterCrop": { try $0.centreCropped(&$1) },
    "UpSampling2D": { try $0.upSampled(&$1) },
    "Resizing": { try $0.scaled(&$1) },
  ]
}

extension LayerInContext {
  fileprivate func padded(_ graph: inout GraphBuilder) throws -> GraphValue {
    let (rows, columns) = try edges("padding")
    let pads = graph.constant(
      [0, 0, rows.0, columns.0, 0, 0, rows.1, columns.1], name: path + "/pads")
    let picture = graph.channelsFirst(input)
    let name = graph.add(
      "Pad", [picture.name, pads], [.string("mode", "constant")], name: path)
    return output(name, isChannelsFirst: true)
  }

  fileprivate func cropped(_ graph: inout GraphBuilder) throws -> GraphValue {
    let (rows, columns) = try edges("cropping")
    return cropped(top: rows.0, left: columns.0, &graph)
  }

  fileprivate func centreCropped(_ graph: inout GraphBuilder) throws -> GraphValue {
    let (whole, part) = (input.shape, node.shape)
    guard part[0] <= whole[0], part[1] <= whole[1] else {
      throw unsupported("a crop larger than its input")
    }
    return cropped(
      top: (whole[0] - part[0]) / 2, left: (whole[1] - part[1]) / 2, &graph)
  }

  fileprivate func upSampled(_ graph: inout GraphBuilder) throws -> GraphValue {
    // Nearest repeats pixels, whatever the centres.
    try resized(nearest: ("asymmetric", "floor"), &graph)
  }

  fileprivate func scaled(_ graph: inout GraphBuilder) throws -> GraphValue {
    guard !configuration.bool("crop_to_aspect_ratio", default: false) else {
      throw unsupported("'crop_to_aspect_ratio'")
    }
    return try resized(nearest: ("half_pixel", "round_prefer_ceil"), &graph)
  }
}

extension LayerInContext {
  /// Pixels at the top, bottom, left and right, as `1`, `[1, 2]` or `[[1, 1], [2, 2]]`.
  fileprivate func edges(_ field: String) throws -> (rows: (Int, Int), columns: (Int, Int)) {
    func pair(_ value: JSONValue) -> (Int, Int)? {
      if let both = value.int { return (both, both) }
      guard let list = value.array?.compactMap(\.int), list.count == 2 else { return nil }
      return (list[0], list[1])
    }
    let value = self[field] ?? .null
    let axes = value.int == nil ? value.array ?? [] : [value, value]
    guard axes.count == 2, let rows = pair(axes[0]), let columns = pair(axes[1]) else {
      throw unsupported("its '\(field)'")
    }
    return (rows, columns)
  }

  /// The part of the picture that is the output's size.
  fileprivate func cropped(top: Int, left: Int, _ graph: inout GraphBuilder) -> GraphValue {
    let picture = graph.channelsFirst(input)
    let name = graph.add(
      "Slice",
      [
        picture.name, graph.constant([top, left], name: path + "/starts"),
        graph.constant([top + node.shape[0], left + node.shape[1]], name: path + "/ends"),
        graph.constant([2, 3], name: path + "/axes"),
      ], name: path)
    return output(name, isChannelsFirst: true)
  }

  /// The picture in the output's size.
  ///
  /// - Parameter nearest: for nearest pixels, how centres are counted and where halves go.
  fileprivate func resized(
    nearest: (centres: String, halves: String), _ graph: inout GraphBuilder
  ) throws -> GraphValue {
    let settings: [OperatorSetting]
    switch self["interpolation"]?.string ?? "nearest" {
    case "nearest":
      settings = [
        .string("mode", "nearest"),
        .string("coordinate_transformation_mode", nearest.centres),
        .string("nearest_mode", nearest.halves),
      ]
    case "bilinear":
      settings = [
        .string("mode", "linear"), .string("coordinate_transformation_mode", "half_pixel"),
      ]
    case let other: throw unsupported("interpolation '\(other)'")
    }
    let size = graph.constant(Array(node.shape.prefix(2)), name: path + "/size")
    let name = graph.add(
      "Resize", [graph.channelsFirst(input).name, "", "", size],
      [.ints("axes", [2, 3])] + settings, name: path)
    return output(name, isChannelsFirst: true)
  }
}
