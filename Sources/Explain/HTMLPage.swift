import Foundation
package import Images

/// One page with pictures that needs no other file.
package struct HTMLPage: Sendable {
  private let title: String
  private var body = ""

  package init(title: String) { self.title = title }

  package mutating func heading(_ text: String) { body += "<h2>\(Self.escaped(text))</h2>\n" }

  package mutating func paragraph(_ text: String) { body += "<p>\(Self.escaped(text))</p>\n" }

  /// Adds a sentence about what is not as it should be.
  package mutating func remark(_ text: String) {
    body += "<p class=\"missing\">\(Self.escaped(text))</p>\n"
  }

  /// Adds markup as it is.
  package mutating func add(_ markup: String) { body += markup }

  /// Adds a picture with a caption.
  ///
  /// - Parameter leastWidth: on narrow screens it is not shown narrower, in pixels, but moved aside.
  package mutating func picture(
    _ image: RGBImage, caption: String, leastWidth: Int = 0
  ) throws {
    let bytes = Data(try image.png()).base64EncodedString()
    let least = min(leastWidth, image.width)
    body += """
      <figure><div class="wide"><img alt="\(Self.escaped(caption))" width="\(image.width)" \
      height="\(image.height)"\(least > 0 ? " style=\"min-width:\(least)px\"" : "") \
      src="data:image/png;base64,\(bytes)"></div>
      <figcaption>\(Self.escaped(caption))</figcaption></figure>\n
      """
  }

  /// Adds a table, the first row its head.
  package mutating func table(_ rows: [[String]]) { body += Self.table(rows) }

  /// A table, the first row its head.
  ///
  /// - Parameter numbers: how many of the last columns hold numbers.
  package static func table(_ rows: [[String]], numbers: Int = 0) -> String {
    let lines = rows.enumerated().map { index, row in
      let tag = index == 0 ? "th" : "td"
      let cells = row.enumerated().map { column, text in
        let name = column >= row.count - numbers ? " class=\"number\"" : ""
        return "<\(tag)\(name)>\(breakable(text))</\(tag)>"
      }
      return "<tr>\(cells.joined())</tr>\n"
    }
    return "<div class=\"wide\"><table><thead>\(lines.first ?? "")</thead>\n"
      + "<tbody>\(lines.dropFirst().joined())</tbody></table></div>\n"
  }

  /// A picture as JPEG inside its tag.
  package static func jpegTag(_ image: RGBImage, alt: String, quality: Int) throws -> String {
    let bytes = Data(try image.jpeg(quality: quality)).base64EncodedString()
    return "<img alt=\"\(escaped(alt))\" width=\"\(image.width)\" height=\"\(image.height)\" "
      + "src=\"data:image/jpeg;base64,\(bytes)\">"
  }

  /// The whole page; the policy forbids it to load or run anything.
  package var text: String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta http-equiv="Content-Security-Policy" \
    content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
    <title>\(Self.escaped(title))</title>
    <style>
    \(PageStyle.text)</style>
    </head>
    <body>
    <h1>\(Self.breakable(title))</h1>
    \(body)</body>
    </html>

    """
  }

  /// Text for inside elements that may be broken after the marks that names are made with.
  package static func breakable(_ text: String) -> String {
    ["_", "-", "/"].reduce(escaped(text)) { $0.replacingOccurrences(of: $1, with: $1 + "<wbr>") }
  }

  /// Text for inside elements and quoted attributes.
  package static func escaped(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;")
      .replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: ">", with: "&gt;")
      .replacingOccurrences(of: "\"", with: "&quot;")
  }
}
