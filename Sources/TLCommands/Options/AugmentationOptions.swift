import ArgumentParser
import Images

/// Named sets of random changes.
enum AugmentationPreset: String, ExpressibleByArgument, CaseIterable {
  case book, modern

  var ranges: Augmentation {
    switch self {
    case .book: .book
    case .modern: .modern
    }
  }
}

extension FillMode: ExpressibleByArgument {}

/// Factors to draw from, written `0.2` (for 0.8 to 1.2) or `0.5,1.5`.
struct FactorRange: ExpressibleByArgument {
  let factors: ClosedRange<Double>

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
    guard let first = parts[0], parts.count <= 2 else { return nil }
    guard let second = parts.count == 1 ? 1 + first : parts[1] else { return nil }
    let lower = parts.count == 1 ? 1 - first : first
    guard lower >= 0, second >= lower, second.isFinite else { return nil }
    factors = lower...second
  }
}

/// Strengths written `0.4,0.4,0.4,0.1`: of brightness, contrast, saturation and hue.
struct JitterAmounts: ExpressibleByArgument {
  let jitter: ColorJitter

  init?(argument: String) {
    let amounts = argument.split(separator: ",", omittingEmptySubsequences: false)
      .compactMap { Double($0) }.filter { $0 >= 0 && $0.isFinite }
    guard amounts.count == 4, amounts[3] <= 0.5,
      argument.split(separator: ",", omittingEmptySubsequences: false).count == 4
    else { return nil }
    jitter = ColorJitter(
      brightness: amounts[0], contrast: amounts[1], saturation: amounts[2], hue: amounts[3])
  }
}

/// How many operations, and how strong, written `2,9`.
struct RandAugmentStrength: ExpressibleByArgument {
  let plan: RandAugment

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let count = parts[0], let magnitude = parts[1],
      (1...14).contains(count), (0...30).contains(magnitude)
    else { return nil }
    plan = RandAugment(count: count, magnitude: magnitude)
  }
}

/// How photos are changed at random, as in Keras's `ImageDataGenerator`.
struct AugmentationOptions: ParsableArguments {
  @Option(help: "Start from a set of changes: the book's, or today's.")
  var augment: AugmentationPreset?

  @Option(help: "Turn by up to so many degrees.")
  var rotation: Double?

  @Option(help: "Move sideways by up to a share of the width; from 1: pixels.")
  var widthShift: Double?

  @Option(help: "Move up and down by up to a share of the height; from 1: pixels.")
  var heightShift: Double?

  @Option(help: "Slant by up to so many degrees.")
  var shear: Double?

  @Option(help: "Zoom by factors: 0.2 for 0.8 to 1.2, or LOW,HIGH; below 1 is near.")
  var zoom: FactorRange?

  @Flag(inversion: .prefixedNo, help: "Mirror half of the photos left to right.")
  var horizontalFlip: Bool?

  @Flag(inversion: .prefixedNo, help: "Mirror half of the photos top to bottom.")
  var verticalFlip: Bool?

  @Option(help: "Raise or lower all samples by up to so much of 255.")
  var channelShift: Double?

  @Option(help: "Make darker or brighter by factors: 0.2, or LOW,HIGH.")
  var brightness: FactorRange?

  @Option(help: "What is seen beyond a photo's edges; default: nearest.")
  var fillMode: FillMode?

  @Option(help: "The sample beyond the edges with --fill-mode constant; default: 0.")
  var fillValue: Float?

  @Option(help: ArgumentHelp("Cut out a random part of LOW to all of the area.", valueName: "low"))
  var randomCrop: Double?

  @Option(help: ArgumentHelp("Apply N random operations of strength M: 2,9.", valueName: "n,m"))
  var randAugment: RandAugmentStrength?

  @Option(
    help: ArgumentHelp(
      "Change brightness, contrast, saturation and hue: 0.4,0.4,0.4,0.1.", valueName: "b,c,s,h"))
  var colorJitter: JitterAmounts?

  @Option(help: ArgumentHelp("Erase a part of this share of the photos.", valueName: "share"))
  var randomErasing: Double?

  @Option(help: ArgumentHelp("Blend with another photo: Beta's alpha, 0.2.", valueName: "alpha"))
  var mixup: Double?

  @Option(help: ArgumentHelp("Paste a part of another photo: Beta's alpha, 1.", valueName: "alpha"))
  var cutmix: Double?

  /// The changes asked for, nil without any of the options.
  var ranges: Augmentation? {
    let isAsked =
      augment != nil || rotation != nil || widthShift != nil || heightShift != nil || shear != nil
      || zoom != nil || horizontalFlip != nil || verticalFlip != nil || channelShift != nil
      || brightness != nil || randomCrop != nil || randAugment != nil || colorJitter != nil
      || randomErasing != nil || mixup != nil || cutmix != nil
    guard isAsked else { return nil }
    var ranges = augment?.ranges ?? Augmentation()
    if let rotation { ranges.rotation = rotation }
    if let widthShift { ranges.widthShift = widthShift }
    if let heightShift { ranges.heightShift = heightShift }
    if let shear { ranges.shear = shear }
    if let zoom { ranges.zoom = zoom.factors }
    if let horizontalFlip { ranges.horizontalFlip = horizontalFlip }
    if let verticalFlip { ranges.verticalFlip = verticalFlip }
    if let channelShift { ranges.channelShift = channelShift }
    if let brightness { ranges.brightness = brightness.factors }
    if let randomCrop { ranges.crop = RandomCrop(scale: randomCrop...1) }
    if let randAugment { ranges.randAugment = randAugment.plan }
    if let colorJitter { ranges.jitter = colorJitter.jitter }
    if let randomErasing { ranges.erasing = RandomErasing(probability: randomErasing) }
    if mixup != nil || cutmix != nil {
      ranges.mixing = MixingRanges(mixup: mixup, cutmix: cutmix)
    }
    if let fillMode { ranges.fill = fillMode }
    if let fillValue { ranges.fillValue = fillValue }
    return ranges
  }

  func validate() throws {
    let amounts = [
      ("rotation", rotation), ("width-shift", widthShift), ("height-shift", heightShift),
      ("shear", shear), ("channel-shift", channelShift),
    ]
    for case (let name, let amount?) in amounts where !(amount >= 0 && amount.isFinite) {
      throw ValidationError("--\(name) must be 0 or more, found \(amount)")
    }
    for case (let name, let share?) in [
      ("random-crop", randomCrop), ("random-erasing", randomErasing),
    ] where !(share > 0 && share <= 1) {
      throw ValidationError("--\(name) must be above 0 and at most 1, found \(share)")
    }
    for case (let name, let alpha?) in [("mixup", mixup), ("cutmix", cutmix)]
    where !(alpha > 0 && alpha <= 100) {
      throw ValidationError("--\(name) must be above 0 and at most 100, found \(alpha)")
    }
    if let zoom, zoom.factors.lowerBound == 0 {
      throw ValidationError("--zoom must stay above a factor of 0")
    }
    if let fillValue, !fillValue.isFinite {
      throw ValidationError("--fill-value must be a number, found \(fillValue)")
    }
    guard ranges != nil || (fillMode == nil && fillValue == nil) else {
      throw ValidationError("--fill-mode and --fill-value need changes, such as --augment book")
    }
  }
}

extension Augmentation {
  /// Such as `rotation 40, zoom 0.8 to 1.2, horizontal flip, fill nearest`.
  var summary: String {
    func amount(_ name: String, _ value: Double) -> String? {
      value == 0 ? nil : "\(name) \(short(value))"
    }
    func factors(_ name: String, _ range: ClosedRange<Double>?) -> String? {
      range.map { "\(name) \(short($0.lowerBound)) to \(short($0.upperBound))" }
    }
    let parts =
      [
        amount("rotation", rotation), amount("width shift", widthShift),
        amount("height shift", heightShift), amount("shear", shear),
        zoom == 1...1 ? nil : factors("zoom", zoom), horizontalFlip ? "horizontal flip" : nil,
        verticalFlip ? "vertical flip" : nil, amount("channel shift", channelShift),
        factors("brightness", brightness),
      ].compactMap { $0 } + modernParts
    if parts.isEmpty { return "all ranges are zero" }
    let value = fill == .constant ? " \(short(Double(fillValue)))" : ""
    guard isFilling else { return parts.joined(separator: ", ") }
    return parts.joined(separator: ", ") + ", fill \(fill.rawValue)\(value)"
  }

  private var modernParts: [String] {
    [
      crop.map { "random crop \(short($0.scale.lowerBound)) to \(short($0.scale.upperBound))" },
      randAugment.map { "RandAugment \($0.count) x \($0.magnitude)" },
      jitter.map {
        "color jitter "
          + [$0.brightness, $0.contrast, $0.saturation, $0.hue].map(short).joined(separator: ",")
      },
      erasing.map { "random erasing \(short($0.probability))" },
      mixing?.mixup.map { "mixup \(short($0))" }, mixing?.cutmix.map { "cutmix \(short($0))" },
    ].compactMap { $0 }
  }

  /// Whether something from beyond the edges can be seen.
  private var isFilling: Bool {
    rotation != 0 || widthShift != 0 || heightShift != 0 || shear != 0 || zoom != 1...1
  }

  /// A number with at most three decimals, none of them an idle zero.
  private func short(_ value: Double) -> String {
    let rounded = (value * 1000).rounded() / 1000
    return rounded == rounded.rounded() ? decimal(rounded, 0) : "\(rounded)"
  }
}
