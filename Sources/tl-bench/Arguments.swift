import Foundation

/// A command and its `--name value` and `--name` options.
struct Arguments {
  static let usage = """
    usage: tl-bench kernels [--rounds 10]
           tl-bench layers [--rounds 20]
           tl-bench products [--rounds 10]
           tl-bench vgg16 [--size 150] [--batch 20] [--rounds 10]
           tl-bench head [--inputs 8192] [--units 256] [--batch 20] [--rounds 50]
           tl-bench block5 [--size 150] [--batch 20] [--rounds 50]
           tl-bench photos --data FOLDER [--size 150] [--interpolation nearest] [--rounds 3]
                           [--plain | --modern] [--fast-decode]
           tl-bench probe (--base | --model) FILE --input FILE --output FILE [--end LAYER]
                          [--layers A,B,...] [--forward] [--unfreeze PATTERN]
    """
  private(set) var command = ""
  private var values: [String: String] = [:]

  init(_ words: [String]) {
    var name: String?
    for word in words {
      if word.hasPrefix("--") {
        name = String(word.dropFirst(2))
        values[name!] = ""
      } else if let option = name {
        values[option] = word
        name = nil
      } else {
        command = word
      }
    }
  }

  func has(_ name: String) -> Bool { values[name] != nil }

  func text(_ name: String) -> String? { values[name] }

  func integer(_ name: String, _ otherwise: Int) -> Int {
    guard let text = values[name] else { return otherwise }
    guard let value = Int(text), value > 0 else {
      FileHandle.standardError.write(
        Data("--\(name): expected a positive number, found '\(text)'\n".utf8))
      exit(64)
    }
    return value
  }
}

/// Seconds that `body` takes.
func seconds(_ body: () -> Void) -> Double {
  let elapsed = ContinuousClock().measure(body).components
  return Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
}

extension Double {
  /// With `digits` behind the point, right-aligned in `width` columns.
  func column(_ width: Int, digits: Int = 1) -> String {
    let text = String(format: "%.\(digits)f", self)
    return String(repeating: " ", count: max(0, width - text.count)) + text
  }
}

extension String {
  /// Left-aligned in `width` columns.
  func column(_ width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
